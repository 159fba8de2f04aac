/* SPDX-License-Identifier: MIT */
/* A caching DNS forwarder, over UDP and TCP: passes queries on to name servers, asks the
 * next one when one does not respond in time, and remembers responses for as long as they
 * allow.
 *
 *     ./dns_forward --listen 127.0.0.1:5300 9.9.9.9 1.1.1.1
 *     dig @127.0.0.1 -p 5300 example.org               in another terminal
 *
 * Each query to a server has a socket of its own, and so a port of its own, and a random
 * id. The response must repeat the question. So an attacker who wants to forge a response
 * has to guess both numbers. A response that does not fit into a datagram is fetched by
 * TCP; a client that accepts only shorter datagrams is told to use TCP, too. */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "dns_cache.h"

enum {
    SERVERS_MOST = 16,
    BATCH = 16,        /* queries received at once */
    QUERY_SIZE = 4096, /* of a client's query by UDP */
    AT_ONCE = 1000,    /* queries of clients in progress; further ones get an error */
    TCP_CLIENTS = 200,
};

#define PATIENCE (10 * CG_SECOND) /* how long a TCP client may pause */

static const char *seconds = "2", *log_it;
static struct example ex;
static char servers[SERVERS_MOST][CG_ADDR_SIZE];
static int server_count;
static int preferred; /* the server that has responded last is asked first */
static int64_t timeout;
static struct dns_cache *cache;
static unsigned long queries, remembered, unanswered;

/* Without random bytes there is no id: one that can be guessed is worse than no response. */
static ssize_t random_id(uint16_t *id)
{
    return getentropy(id, sizeof *id) < 0 ? -errno : 0;
}

/* Returns the length of the response to a query, from a server by UDP, or a negative code.
 * Other datagrams are ignored. */
static ssize_t ask_by_udp(const char *server, const struct dns_query *query,
                          unsigned char *response)
{
    unsigned char message[DNS_QUERY_SIZE];
    uint16_t id;
    size_t whole;
    struct cg_sock *sock;
    ssize_t n = random_id(&id);

    if (n == 0)
        n = cg_datagram_open(cg_sched_self(), NULL, &sock, .peer = server);
    if (n < 0)
        return n;
    n = cg_yield(cg_send_to(sock, message, dns_make_query(query, id, message), NULL));
    do {
        if (n >= 0)
            n = cg_yield(
                cg_receive_from(sock, response, DNS_LONGEST, NULL, .whole = &whole));
    } while (n >= 0 && !dns_is_response(response, (size_t)n, query, id));
    cg_sock_close(sock);
    return n;
}

static ssize_t read_message(struct cg_sock *sock, unsigned char *message)
{
    unsigned char head[2];
    ssize_t n = cg_yield(cg_readall(sock, head, 2));

    return n < 0 ? n : cg_yield(cg_readall(sock, message, ns_get16(head)));
}

static ssize_t write_message(struct cg_sock *sock, const unsigned char *message,
                             size_t len)
{
    unsigned char head[2] = {(unsigned char)(len >> 8), (unsigned char)len};
    struct iovec parts[] = {{head, 2}, {(void *)message, len}};

    return cg_yield(cg_writev(sock, parts, 2));
}

static ssize_t ask_by_tcp(const char *server, const struct dns_query *query,
                          unsigned char *response)
{
    unsigned char message[DNS_QUERY_SIZE];
    uint16_t id;
    struct cg_sock *sock;
    ssize_t n = random_id(&id);

    if (n == 0)
        n = cg_yield(cg_connect(server, &sock));
    if (n < 0)
        return n;
    n = write_message(sock, message, dns_make_query(query, id, message));
    if (n >= 0)
        n = read_message(sock, response);
    cg_sock_close(sock);
    if (n >= 0 && !dns_is_response(response, (size_t)n, query, id))
        return -EPROTO;
    return n;
}

struct question {
    const char *server;
    const struct dns_query *query;
    unsigned char *response;
};

static ssize_t ask_server(void *arg)
{
    struct question *q = arg;
    ssize_t n = ask_by_udp(q->server, q->query, q->response);

    if (n >= 0 && dns_is_truncated(q->response))
        n = ask_by_tcp(q->server, q->query, q->response);
    return n;
}

/* Asks the servers one after the other, until one responds without a failure. If none
 * does, the result is that of the last one. */
static ssize_t ask_servers(const struct dns_query *query, unsigned char *response)
{
    struct question q = {.query = query, .response = response};
    ssize_t n = -ETIMEDOUT, failed = 0;
    int first = preferred;

    for (int i = 0; i < server_count && n != -ECANCELED; i++) {
        int k = (first + i) % server_count;

        q.server = servers[k];
        n = cg_yield(cg_call(ask_server, &q, .timeout = timeout));
        if (n >= 0 && (response[3] & 0x0f) != ns_r_servfail) {
            preferred = k;
            return n;
        }
        failed = n >= 0 ? n : failed;
    }
    return n < 0 && failed > 0 ? -EIO : n;
}

static void report(const struct dns_query *query, const char *how)
{
    if (log_it == NULL)
        return;
    example_put_plain(query->name);
    fprintf(stderr, " type %u: %s\n", query->type, how);
}

/* Makes the response to a client's message, in a buffer of DNS_LONGEST. Returns its
 * length; 0: the client gets no response. */
static size_t respond(const unsigned char *message, size_t len, struct dns_query *query,
                      unsigned char *response)
{
    int error = dns_read_query(message, len, query);
    ssize_t n;

    if (error < 0)
        return 0;
    queries++;
    if (error > 0)
        return dns_make_error(message, query, error, response);
    n = (ssize_t)dns_cache_find(cache, query, cg_sched_now(cg_sched_self()), response);
    if (n > 0) {
        remembered++;
        report(query, "remembered");
    } else {
        n = ask_servers(query, response);
        report(query, n < 0 ? cg_strerror((int)n) : "asked");
        if (n < 0) {
            unanswered++;
            return dns_make_error(message, query, ns_r_servfail, response);
        }
        dns_cache_put(cache, query, response, (size_t)n, cg_sched_now(cg_sched_self()));
    }
    dns_adopt(response, query);
    return (size_t)n;
}

static struct cg_sock *udp;
static struct cg_mutex sending;
static unsigned at_work;

struct client {
    struct cg_addr addr;
    struct cg_datagram_info info;
    size_t len;
    unsigned char message[QUERY_SIZE];
    unsigned char response[DNS_LONGEST];
};

/* Sends a response from the address to which the query came: a client accepts it from no
 * other address. */
static ssize_t send_back(struct client *client, size_t len)
{
    struct cg_datagram datagram = {.buf = client->response,
                                   .len = len,
                                   .addr = &client->addr,
                                   .info = &client->info};
    ssize_t n = cg_yield(cg_lock(&sending));

    if (n < 0)
        return n;
    n = cg_yield(cg_send_datagrams(udp, &datagram, 1));
    cg_mutex_unlock(&sending);
    return n;
}

static ssize_t serve_datagram(void *arg)
{
    struct client *client = arg;
    struct dns_query query;
    size_t len = respond(client->message, client->len, &query, client->response);

    if (len > 0)
        send_back(client, dns_fit(client->response, len, &query));
    free(client);
    at_work--;
    return 0;
}

/* Responds with an error: too many queries are in progress, or there is no memory. */
static void refuse(const struct cg_datagram *datagram)
{
    unsigned char response[DNS_QUERY_SIZE];
    struct cg_datagram error = {
        .buf = response, .addr = datagram->addr, .info = datagram->info};
    struct dns_query query;

    if (dns_read_query(datagram->buf, datagram->len, &query) < 0)
        return;
    unanswered++;
    error.len = dns_make_error(datagram->buf, &query, ns_r_servfail, response);
    cg_yield(cg_send_datagrams(udp, &error, 1, .timeout = CG_NOWAIT));
}

static void take(const struct cg_datagram *datagram)
{
    struct client *client = at_work < AT_ONCE ? malloc(sizeof *client) : NULL;

    if (client == NULL) {
        refuse(datagram);
        return;
    }
    client->addr = *datagram->addr;
    client->info = *datagram->info;
    client->len = datagram->len;
    memcpy(client->message, datagram->buf, datagram->len);
    at_work++;
    if (cg_yield(cg_add(serve_datagram, client, .name = "query")) < 0) {
        at_work--;
        free(client);
        refuse(datagram);
    }
}

static ssize_t serve_udp(void *arg)
{
    static unsigned char messages[BATCH][QUERY_SIZE];
    static struct cg_addr addrs[BATCH];
    static struct cg_datagram_info infos[BATCH];
    struct cg_datagram list[BATCH];
    ssize_t n;

    (void)arg;
    do {
        for (int i = 0; i < BATCH; i++)
            list[i] = (struct cg_datagram){.buf = messages[i],
                                           .size = QUERY_SIZE,
                                           .addr = &addrs[i],
                                           .info = &infos[i]};
        n = cg_yield(cg_receive_datagrams(udp, list, BATCH, .timeout = CG_NEVER));
        for (ssize_t i = 0; i < n; i++)
            take(&list[i]);
        if (n < 0 && n != -ECANCELED)
            cg_yield(cg_sleep(10 * CG_MILLISECOND)); /* there may be memory later */
    } while (n != -ECANCELED && n != -EBADF);
    return 0; /* the program ends */
}

static ssize_t serve_connection(struct cg_sock *conn, void *arg)
{
    unsigned char *message = malloc(2 * DNS_LONGEST), *response = message + DNS_LONGEST;
    struct dns_query query;
    ssize_t n = message == NULL ? -ENOMEM : 0;

    (void)arg;
    cg_sock_set_timeout(conn, PATIENCE);
    while (n >= 0 && (n = read_message(conn, message)) >= 0) {
        size_t len = respond(message, (size_t)n, &query, response);

        n = len > 0 ? write_message(conn, response, len) : -EPROTO;
    }
    free(message);
    cg_sock_close(conn);
    return n;
}

static ssize_t serve(void *arg)
{
    struct cg_sock *listener = arg;
    ssize_t n = cg_yield(cg_add(serve_udp, NULL, .name = "udp"));

    if (n == 0)
        n = cg_yield(
            cg_serve(listener, serve_connection, .limit = TCP_CLIENTS, .name = "tcp"));
    if (n < 0 && n != -ECANCELED)
        example_fail("serve", n);
    cg_sock_close(listener);
    cg_sock_close(udp);
    return n;
}

/* Listens by TCP, and by UDP on the same port, which the kernel may have chosen. */
static int open_both(struct cg_sock **listener)
{
    char addr[CG_ADDR_SIZE];
    int rc = cg_sock_listen(ex.sched, ex.listen, listener);

    if (rc < 0)
        return rc;
    rc = cg_sock_local_addr(*listener, addr, sizeof addr);
    if (rc == 0)
        rc = cg_datagram_open(ex.sched, addr, &udp, .info = true);
    if (rc == 0 && (printf("listening on %s\n", addr) < 0 || fflush(stdout) != 0)) {
        example_fail("stdout", -errno);
        rc = -ECANCELED; /* it was reported */
    }
    if (rc < 0) {
        cg_sock_close(*listener);
        cg_sock_close(udp);
    }
    return rc;
}

/* The port of a server is 53 unless the text names another: "9.9.9.9" and "2620:fe::fe"
 * are valid, too. */
static void add_server(const char *text)
{
    const char *colon = strchr(text, ':');
    bool is_bare6 = colon != NULL && strchr(colon + 1, ':') != NULL && *text != '[';
    char *to = servers[server_count];
    struct cg_sock *sock;
    int n;

    if (server_count == SERVERS_MOST)
        example_usage(&ex, "at most 16 servers");
    n = snprintf(to, CG_ADDR_SIZE,
                 is_bare6        ? "[%s]:53"
                 : colon == NULL ? "%s:53"
                                 : "%s",
                 text);
    if (n < CG_ADDR_SIZE)
        n = cg_datagram_open(ex.sched, NULL, &sock, .peer = to);
    else
        n = CG_EADDR;
    if (n < 0) {
        example_fail(text, n);
        exit(2);
    }
    cg_sock_close(sock);
    server_count++;
}

int main(int argc, char **argv)
{
    static const struct example_option options[] = {
        {"timeout", "SECONDS", "asks the next server after so long (2)", &seconds, 0},
        {"log", NULL, "prints each query on stderr", &log_it, 0},
        {0},
    };
    struct cg_sock *listener;
    bool listens;
    int status;

    ex = (struct example){
        .name = "dns_forward",
        .about = "A caching DNS forwarder over UDP and TCP",
        .operands = "SERVER...",
        .listen = "127.0.0.1:5300",
        .network = true,
        .options = options,
    };
    example_open(&ex, argc, argv);
    timeout = example_seconds(&ex, seconds);
    if (ex.argc == 0)
        example_usage(&ex, "a SERVER is missing");
    for (int i = 0; i < ex.argc; i++)
        add_server(ex.argv[i]);
    cache = dns_cache_new();
    if (cache == NULL) {
        example_fail("cache", -ENOMEM);
        return 1;
    }
    status = open_both(&listener);
    if (status == 0)
        status = cg_sched_start(ex.sched, serve, listener, .name = "serve");
    if (status < 0)
        example_fail(ex.listen, status);
    listens = status == 0;
    status = example_run(&ex);
    if (listens)
        printf("%lu queries, %lu of them from memory, %lu without a response of a server\n",
               queries, remembered, unanswered);
    dns_cache_free(cache);
    return status;
}
