/* SPDX-License-Identifier: MIT */
/* What the HTTP server lets clients use: connections, time for a body, and turns of the
 * loop. */
#include "config.h"

#include "http/acked.h"
#include "http/server/metrics.h"
#include "http/server/places.h"
#include "tests/http/http_serve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PLACES = 8 };

#define FIFTY "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static int64_t now(void)
{
    return cg_sched_now(cg_sched_self());
}

static void until_connections(unsigned count)
{
    while (cg_http_server_connections(server) != count)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
}

static bool is_open(struct cg_sock *sock)
{
    char byte;

    return cg_yield(cg_read(sock, &byte, 1, .timeout = 50 * CG_MILLISECOND)) == -ETIMEDOUT;
}

/* All connections are taken by clients that send nothing, or not a whole head. The next
 * client is served in place of the one that has waited longest. */
static ssize_t sheds(void *arg)
{
    static const char *const said[] = {"", "GET / HT", "GET /" V "A: b\r\n", "GET /" V "\r\n"};
    struct cg_http_metrics *metrics = cg_http_metrics_new();

    (void)arg;
    for (size_t i = 0; i < COUNT(said); i++) {
        struct cg_sock *silent[PLACES], *polite;

        serve_begin(&(struct cg_http_server_options){.connections = PLACES,
                                                     .address_connections = PLACES,
                                                     .metrics = metrics});
        for (int j = 0; j < PLACES; j++) {
            silent[j] = serve_client();
            send_text(silent[j], said[i]);
            until_connections((unsigned)j + 1);
            if (i == 3)
                receive(silent[j], "hello\n");
            OK(cg_yield(cg_sleep(10 * CG_MILLISECOND)));
        }
        for (int j = 0; j < 2; j++) {
            polite = serve_client();
            send_text(polite, "GET /" V CLOSE "\r\n");
            ck_assert_str_eq(receive(polite, NULL), HELLO CLOSE "\r\nhello\n");
            ck_assert_str_eq(receive(silent[0], NULL), "");
            for (int k = 1; k < PLACES; k++)
                ck_assert_msg(is_open(silent[k]), "%zu: %d was closed", i, k);
            cg_sock_close(polite);
            until_connections(PLACES - 1);
        }
        for (int j = 0; j < PLACES; j++)
            cg_sock_close(silent[j]);
        serve_end();
    }
    IS((ssize_t)atomic_load(&metrics->refusals[CG__HTTP_REFUSED_CONNECTION]), COUNT(said));
    cg_http_metrics_free(metrics);
    return 0;
}

/* A connection with a running request is not closed: the next client waits until a
 * connection is idle. */
static ssize_t spares_who_works(void *arg)
{
    struct cg_sock *busy[2], *next;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.connections = 2});
    for (int i = 0; i < 2; i++) {
        busy[i] = serve_client();
        send_text(busy[i], "GET /held" V "\r\n");
    }
    until_handled(2);
    next = serve_client();
    send_text(next, "GET /" V CLOSE "\r\n");
    ck_assert(is_open(next));
    OK(cg_yield(cg_signal(&handled, NULL, .prio = CG_PRIO_LAST)));
    for (int i = 0; i < 2; i++)
        ck_assert_ptr_nonnull(strstr(receive(busy[i], "held\n"), "held\n"));
    ck_assert_str_eq(receive(next, NULL), HELLO CLOSE "\r\nhello\n");
    cg_sock_close(next);
    for (int i = 0; i < 2; i++)
        cg_sock_close(busy[i]);
    serve_end();
    return 0;
}

/* Without the option there is a limit as well: some descriptors stay free. */
static ssize_t leaves_descriptors(void *arg)
{
    static const struct {
        rlim_t limit;
        unsigned places;
    } cases[] = {{1, 1}, {2, 1}, {20, 10}, {64, 32}, {100, 68}, {800, 700}};
    struct rlimit limit, before;

    (void)arg;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        limit = before;
        limit.rlim_cur = cases[i].limit;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ck_assert_uint_eq(cg__http_places(), cases[i].places);
    }
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    return 0;
}

/* The kernel has no descriptor for a new client. The server closes the connection that has
 * waited longest, and may close the next one for the accept that follows. */
static ssize_t sheds_for_descriptors(void *arg)
{
    struct cg_sock *silent[4], *polite;
    struct rlimit limit, before;
    int free_fd;

    (void)arg;
    serve_begin(NULL);
    for (int i = 0; i < 4; i++) {
        silent[i] = serve_client();
        until_connections((unsigned)i + 1);
        OK(cg_yield(cg_sleep(10 * CG_MILLISECOND)));
    }
    IS(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    free_fd = dup(0); /* the limit leaves one free descriptor, which the client gets */
    close(free_fd);
    limit.rlim_cur = (rlim_t)free_fd + 1;
    IS(setrlimit(RLIMIT_NOFILE, &limit), 0);
    polite = serve_client();
    send_text(polite, "GET /" V CLOSE "\r\n");
    ck_assert_str_eq(receive(polite, NULL), HELLO CLOSE "\r\nhello\n");
    IS(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_str_eq(receive(silent[0], NULL), "");
    for (int i = 2; i < 4; i++)
        ck_assert_msg(is_open(silent[i]), "%d was closed", i);
    cg_sock_close(polite);
    for (int i = 0; i < 4; i++)
        cg_sock_close(silent[i]);
    serve_end();
    return 0;
}

/* One address gets no more than its share of the connections. A further one takes the place
 * of the connection from that address that has waited longest. */
static ssize_t shares(void *arg)
{
    struct cg_sock *sock[3];

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.address_connections = 2});
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++) {
            sock[i] = serve_client();
            if (i < 2)
                until_connections((unsigned)i + 1);
            OK(cg_yield(cg_sleep(10 * CG_MILLISECOND)));
        }
        ck_assert_str_eq(receive(sock[0], NULL), "");
        for (int i = 1; i < 3; i++) {
            send_text(sock[i], "GET /" V CLOSE "\r\n");
            ck_assert_str_eq(receive(sock[i], NULL), HELLO CLOSE "\r\nhello\n");
        }
        for (int i = 0; i < 3; i++)
            cg_sock_close(sock[i]);
        until_connections(0);
    }
    serve_end();
    return 0;
}

/* A client of IPv4 at a listener of both families has another share than one of IPv6, which the
 * kernel shows as a mapped address. */
static ssize_t shares_of_families(void *arg)
{
    struct cg_sock *sock[5], *both;
    char name[CG_ADDR_SIZE], hosts[2][CG_ADDR_SIZE];

    (void)arg;
    if (cg_sock_listen(cg_sched_self(), "[::]:0", &both) < 0)
        return 0; /* this machine lacks IPv6 */
    IS(cg_sock_local_addr(both, name, sizeof name), 0);
    snprintf(hosts[0], sizeof hosts[0], "127.0.0.1%s", strrchr(name, ':'));
    snprintf(hosts[1], sizeof hosts[1], "[::1]%s", strrchr(name, ':'));
    serve_begin_on(both, &(struct cg_http_server_options){.address_connections = 2});
    for (unsigned i = 0; i < 5; i++) {
        OK(cg_yield(cg_connect(hosts[i % 2], &sock[i])));
        if (i < 4)
            until_connections(i + 1);
        OK(cg_yield(cg_sleep(10 * CG_MILLISECOND)));
    }
    ck_assert_str_eq(receive(sock[0], NULL), "");
    for (int i = 1; i < 5; i++)
        ck_assert_msg(is_open(sock[i]), "%d was closed", i);
    for (int i = 0; i < 5; i++)
        cg_sock_close(sock[i]);
    serve_end();
    return 0;
}

/* While all connections of an address have running requests, a further one is closed. By
 * default a place stays free for other addresses. */
static ssize_t refuses_beyond_share(void *arg)
{
    struct cg_sock *sock[7];

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.connections = PLACES});
    for (int i = 0; i < 7; i++) {
        sock[i] = serve_client();
        if (i < 6) {
            send_text(sock[i], "GET /held" V CLOSE "\r\n");
            until_handled((unsigned)i + 1);
        }
    }
    ck_assert_str_eq(receive(sock[6], NULL), "");
    OK(cg_yield(cg_signal(&handled, NULL, .prio = CG_PRIO_LAST)));
    for (int i = 0; i < 6; i++)
        ck_assert_ptr_nonnull(strstr(receive(sock[i], NULL), "held\n"));
    for (int i = 0; i < 7; i++)
        cg_sock_close(sock[i]);
    serve_end();
    return 0;
}

/* A head that comes too slowly is refused before the timeout for the whole head. */
static ssize_t head_rate(void *arg)
{
    struct cg_sock *sock;
    int64_t start;
    ssize_t n = 1;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.header_timeout = CG_MINUTE});
    sock = serve_client();
    start = now();
    send_text(sock, "GET / HTTP/1.1\r\n");
    while (n == 1 && cg_yield(cg_poll_sock(sock, CG_IN, .timeout = CG_SECOND)) == -ETIMEDOUT)
        n = cg_yield(cg_write(sock, "x", 1));
    ck_assert_int_eq(strncmp(receive(sock, NULL), "HTTP/1.1 408 ", 13), 0);
    ck_assert_int_ge(now() - start, 5 * CG_SECOND);
    ck_assert_int_le(now() - start, 8 * CG_SECOND);
    cg_sock_close(sock);

    sock = serve_client();
    send_text(sock, "GET /" V CLOSE);
    for (int i = 0; i < 15; i++) {
        static const char field[] = "x: " FIFTY FIFTY FIFTY FIFTY FIFTY "\r\n";

        send_text(sock, field);
        OK(cg_yield(cg_sleep(CG_SECOND)));
    }
    send_text(sock, "\r\n");
    ck_assert_str_eq(receive(sock, NULL), HELLO CLOSE "\r\nhello\n");
    cg_sock_close(sock);
    serve_end();
    return 0;
}

/* A body that comes too slowly times out. A body that comes slowly but steadily gets as
 * much time as it needs. */
static ssize_t body_rates(void *arg)
{
    static char junk[300];
    struct cg_sock *sock;
    int64_t start;
    ssize_t n = 1;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.body_timeout = 5 * CG_SECOND});
    sock = serve_client();
    start = now();
    send_text(sock, "POST /whole" V CLOSE "Content-Length: 100000\r\n\r\n");
    while (n == 1 && now() < start + CG_MINUTE) {
        n = cg_yield(cg_write(sock, "x", 1));
        if (cg_yield(cg_poll_sock(sock, CG_IN, .timeout = 2 * CG_SECOND)) != -ETIMEDOUT)
            break;
    }
    ck_assert_int_eq(strncmp(receive(sock, NULL), "HTTP/1.1 408 ", 13), 0);
    ck_assert_int_le(now(), start + 9 * CG_SECOND);
    cg_sock_close(sock);

    sock = serve_client();
    send_text(sock, "POST /whole" V CLOSE "Content-Length: 30000\r\n\r\n");
    for (int i = 0; i < 100; i++) {
        OK(cg_yield(cg_writeall(sock, junk, sizeof junk)));
        OK(cg_yield(cg_sleep(CG_SECOND)));
    }
    ck_assert_int_eq(strncmp(receive(sock, NULL), "HTTP/1.1 201 ", 13), 0);
    cg_sock_close(sock);
    serve_end();
    return 0;
}

/* A peer that reads, however slowly, makes progress even while nothing more can be
 * written. */
static ssize_t acknowledged(void *arg)
{
    static char junk[256 * 1024];
    struct cg_sock *plug = test_listen(addr), *from, *to;
    struct cg__http_acked seen = {.acked = 0};
    size_t read = 0;

    (void)arg;
    OK(cg_yield(cg_connect(addr, &to)));
    OK(cg_yield(cg_accept(plug, &from)));
    while (cg_yield(cg_writeall(from, junk, sizeof junk, .timeout = 50 * CG_MILLISECOND)) > 0)
        continue;
    while (cg__http_acked_go_on(&seen, from, 0)) /* the peer does not read */
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    if (seen.acked == 0) { /* not TCP */
        cg_sock_close(from);
        cg_sock_close(to);
        cg_sock_close(plug);
        return 0;
    }
    while (!cg__http_acked_go_on(&seen, from, 0)) {
        ssize_t n = cg_yield(cg_read(to, junk, sizeof junk, .timeout = CG_MILLISECOND));

        read += n > 0 ? (size_t)n : 0;
    }
    ck_assert_uint_gt(read, 0);
    cg_sock_close(from);
    cg_sock_close(to);
    cg_sock_close(plug);
    return 0;
}

static char long_text[2 * 1024 * 1024 + 1];

static ssize_t tells_at_length(struct cg_http_request *req, void *arg)
{
    if (arg == NULL)
        return cg_yield(cg_http_send_text(req, 200, long_text));
    OK(cg_http_response_set_header(req, "Content-Type", "text/plain"));
    return cg_yield(cg_http_write(req, long_text, sizeof long_text - 1));
}

static ssize_t counts(void *arg)
{
    while (cg_yield(cg_sleep(0)) == 0)
        ++*(unsigned *)arg;
    return 0;
}

/* A large text is compressed in turns, between which other coroutines run. */
static ssize_t compresses_in_turns(void *arg)
{
    static const char *const asked[] = {"/long", "/written"};
    static const char *const codings[] = {"gzip", "br", "zstd"};
    unsigned turns = 0, before;

    (void)arg;
    memset(long_text, 'x', sizeof long_text - 1);
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/long", tells_at_length, NULL));
    OK(cg_http_server_mount(server, "/written", tells_at_length, "written"));
    for (size_t i = 0; i < COUNT(asked) * COUNT(codings); i++) {
        struct cg_coro *counter = test_start(counts, &turns);
        struct cg_sock *sock = serve_client();
        char request[128];

        snprintf(request, sizeof request, "GET %s" V CLOSE "Accept-Encoding: %s\r\n\r\n",
                 asked[i / COUNT(codings)], codings[i % COUNT(codings)]);
        before = turns;
        send_text(sock, request);
        receive(sock, NULL);
        if (strstr(got, "Content-Encoding") != NULL)
            ck_assert_uint_ge(turns - before, sizeof long_text / (32 * 1024) - 1);
        cg_coro_cancel(counter);
        test_end(counter);
        cg_sock_close(sock);
    }
    serve_end();
    return 0;
}

static const struct test_case cases[] = {
    CORO(sheds),
    CORO(spares_who_works),
    CORO(leaves_descriptors, .where = ON_SIM),
    CORO(sheds_for_descriptors, .where = ON_KERNEL),
    CORO(shares),
    CORO(shares_of_families),
    CORO(refuses_beyond_share),
    CORO(head_rate, .where = ON_SIM),
    CORO(body_rates, .where = ON_SIM),
    CORO(acknowledged),
    CORO(compresses_in_turns, .where = ON_SIM),
};

int main(void)
{
    return test_main("http server flood", cases, COUNT(cases));
}
