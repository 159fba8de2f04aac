/* SPDX-License-Identifier: MIT */
/* The load of connections, over TLS or not: each connects, shakes hands, sends one request, reads
 * the response and closes; then its place makes the next one. Prints "name value unit", as
 * bench/load does; a latency is the time from connect to the whole response.
 *     bench/load_tls [OPTION...] ADDRESS:PORT
 *     --connections N   at the same time: 16
 *     --kept            connections stay, and send a request when they have the response
 *     --resumed         each resumes the last session of its place
 *     --tls12           TLS 1.2, not 1.3
 *     --clear           no TLS
 *     --seconds S       how long to measure: 1
 *     --warmup S        how long to run before that: 0.2
 *     --requests N      measure so many requests, not a time
 *     --pid PID         the server
 *     --spin            do not sleep while it waits for the server
 * The first connections of all places are full handshakes and belong to the warm-up, which also
 * a number of requests has. */
#include "config.h"

#include "bench/load_common.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

/* In the order of browsers: a server that follows its clients chooses what it would for those. */
#define CIPHERS "ECDHE+AESGCM+AES128:ECDHE+AESGCM:ECDHE+CHACHA20"
#define SUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

struct place {
    bool connected;
    int fd;
    SSL *ssl; /* NULL: in the clear */
    SSL_SESSION *session; /* of its last connection; NULL: none */
    bool asked;
    char head[4096];
    size_t got;
    int64_t begun;
};

static struct load load = {.name = "load_tls", .seconds = 1, .warmup = 0.2};
static int places = 16;
static bool kept, resumed, clear;
static SSL_CTX *context;

static long begun, full, warm; /* warm: connections that have ended before the measurement */

static _Noreturn void die(const char *what)
{
    unsigned long code = ERR_get_error();

    if (code == 0)
        load_die(&load, what);
    fprintf(stderr, "%s: %s: %s\n", load.name, what, ERR_reason_error_string(code));
    exit(1);
}

/* Called for each session that a server sends: after the handshake in TLS 1.3. Returns 1: it
 * is kept. */
static int keep(SSL *ssl, SSL_SESSION *session)
{
    struct place *place = SSL_get_app_data(ssl);

    SSL_SESSION_free(place->session);
    place->session = session;
    return 1;
}

static void connect_tls(struct place *place)
{
    place->ssl = SSL_new(context);
    if (place->ssl == NULL || SSL_set_fd(place->ssl, place->fd) != 1 ||
        SSL_set_app_data(place->ssl, place) != 1 ||
        SSL_set_tlsext_host_name(place->ssl, "localhost") != 1)
        die("a connection");
    SSL_set_connect_state(place->ssl);
    if (resumed && place->session != NULL)
        SSL_set_session(place->ssl, place->session);
}

/* A place whose connection stays has one already. */
static void connect_place(struct place *place)
{
    int one = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = place};

    place->begun = measured_now();
    place->asked = false;
    place->got = 0;
    if (place->connected)
        return;
    place->connected = true;
    place->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (place->fd < 0 ||
        connect(place->fd, (struct sockaddr *)&load.address, sizeof load.address) < 0 ||
        setsockopt(place->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) < 0 ||
        fcntl(place->fd, F_SETFL, O_NONBLOCK) < 0 ||
        epoll_ctl(load.ep, EPOLL_CTL_ADD, place->fd, &event) < 0)
        die("connect");
    if (!clear)
        connect_tls(place);
}

static void disconnect_place(struct place *place)
{
    if (!clear)
        SSL_shutdown(place->ssl);
    SSL_free(place->ssl);
    close(place->fd);
    place->connected = false;
}

/* Waiting for the peer is the only reason for a call to fail. */
static bool is_done(struct place *place, int rc, const char *what)
{
    bool waits = clear ? rc < 0 && errno == EAGAIN
                       : rc <= 0 && SSL_get_error(place->ssl, rc) == SSL_ERROR_WANT_READ;

    if (rc <= 0 && !waits)
        die(what);
    return rc > 0;
}

/* Returns whether the response is whole. */
static bool has_response(struct place *place)
{
    const char *body, *length;

    place->head[place->got] = '\0';
    body = strstr(place->head, "\r\n\r\n");
    length = strcasestr(place->head, "\r\nContent-Length:");
    if (body == NULL)
        return false;
    if (strncmp(place->head, "HTTP/1.1 200 ", 13) != 0 || length == NULL || length > body) {
        errno = EPROTO;
        die("not the response that is wanted");
    }
    return place->got >= (size_t)(body + 4 - place->head) + (size_t)atol(length + 17);
}

/* Returns false if the handshake needs more of the server. */
static bool ask(struct place *place)
{
    int n;

    if (!clear && !is_done(place, SSL_do_handshake(place->ssl), "the handshake"))
        return false;
    full += !clear && !SSL_session_reused(place->ssl);
    place->asked = true;
    n = clear ? (int)send(place->fd, REQUEST, sizeof REQUEST - 1, 0)
              : SSL_write(place->ssl, REQUEST, sizeof REQUEST - 1);
    is_done(place, n, "the request");
    return true;
}

/* Does what is possible now. Returns true when the connection has its response. */
static bool go_on(struct place *place)
{
    if (!place->asked && !ask(place))
        return false;
    do {
        char *to = place->head + place->got;
        size_t room = sizeof place->head - 1 - place->got;
        int n = clear ? (int)recv(place->fd, to, room, 0)
                      : SSL_read(place->ssl, to, (int)room);

        if (!is_done(place, n, "the response"))
            return false;
        place->got += (size_t)n;
    } while (!has_response(place));
    return true;
}

/* The warm-up lasts until each place may have a session, however slow the machine is. */
static bool phase_ends(int64_t at)
{
    if (load.phase == LOAD_WARM_UP && warm < 2L * places)
        return false;
    if (load.requests)
        return load.phase == LOAD_WARM_UP ||
               (long)load.measured.latencies.count == load.requests;
    return at >= load.end;
}

static void tick(int64_t at)
{
    if (!phase_ends(at))
        return;
    if (load.phase == LOAD_MEASURES && full > 0 && resumed) {
        errno = EPROTO;
        die("the server did not resume each session");
    }
    load_next(&load, at);
    full = 0;
}

/* Returns whether the place makes another connection. A number of requests is exact, so the
 * last places are not used again. */
static bool finish(struct place *place)
{
    int64_t at = measured_now();

    if (load.phase == LOAD_MEASURES)
        histogram_add(&load.measured.latencies, (uint64_t)(at - place->begun));
    else
        warm++;
    if (!kept)
        disconnect_place(place);
    tick(at);
    return load.phase != LOAD_OVER &&
           (!load.requests || begun < 2L * places + load.requests);
}

/* The server may be so fast that no event comes. */
static void begin_place(struct place *place)
{
    do {
        begun++;
        connect_place(place);
    } while (go_on(place) && finish(place));
}

static int usage(void)
{
    fprintf(stderr, "usage: load_tls [OPTION...] ADDRESS:PORT (bench/load_tls.c names them)\n");
    return 2;
}

static void run(struct place *all)
{
    struct epoll_event events[LOAD_EVENTS];

    load_begin(&load);
    for (int i = 0; i < places && load.phase != LOAD_OVER; i++)
        begin_place(&all[i]);
    while (load.phase != LOAD_OVER) {
        int n = load_wait(&load, events);

        for (int i = 0; i < n && load.phase != LOAD_OVER; i++)
            if (go_on(events[i].data.ptr) && finish(events[i].data.ptr))
                begin_place(events[i].data.ptr);
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        LOAD_OPTIONS,
        {"connections", 1, NULL, 'c'}, {"resumed", 0, NULL, 'e'}, {"tls12", 0, NULL, '2'},
        {"kept", 0, NULL, 'k'},        {"clear", 0, NULL, 'l'},   {NULL, 0, NULL, 0}};
    int option, version = TLS1_3_VERSION;
    struct place *all;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'c')
            places = atoi(optarg);
        else if (option == 'e')
            resumed = true;
        else if (option == '2')
            version = TLS1_2_VERSION;
        else if (option == 'k')
            kept = true;
        else if (option == 'l')
            clear = true;
        else if (!load_option(&load, option, optarg))
            return usage();
    }
    if (optind + 1 != argc || !load_address(&load, argv[optind]) || places < 1)
        return usage();
    context = SSL_CTX_new(TLS_client_method());
    all = calloc((size_t)places, sizeof *all);
    load.ep = epoll_create1(0);
    if (context == NULL || all == NULL || load.ep < 0 ||
        SSL_CTX_set_cipher_list(context, CIPHERS) != 1 ||
        SSL_CTX_set_ciphersuites(context, SUITES) != 1)
        die("load_tls");
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep);
    run(all);
    return 0;
}
