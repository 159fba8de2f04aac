/* SPDX-License-Identifier: MIT */
/* Handshakes that fail, time out, are cancelled, or lose their socket. */
#include "config.h"

#include "tests/support/closing.h"
#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_link.h"
#include "tests/tls/tls_main.h"

#include <errno.h>
#include <string.h>

/* A handshake with a peer that sends nothing times out, on both sides. The caller still
 * owns the socket below. */
static void silence(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_sock *sock;
    char why[CG_TLS_WHY_SIZE] = "";

    configure();
    IS(cg_yield(cg_tls_accept(a, server_tls, &sock, .timeout = CG_MILLISECOND)),
       -ETIMEDOUT);
    IS(cg_yield(cg_tls_connect(b, client_tls, "site.test", &sock,
                               .timeout = CG_MILLISECOND, .why = why)), -ETIMEDOUT);
    IS(cg_yield(cg_any((cg_tls_accept(a, server_tls, &sock), cg_sleep(CG_MILLISECOND)))), 1);
    unconfigure();
    close_both(a, b);
}

/* A handshake that is cancelled, at whatever moment, leaks nothing. */
static void cancelled(struct cg_sock *a, struct cg_sock *b)
{
    close_both(a, b);
    configure();
    for (int64_t limit = 1; limit < CG_SECOND; limit *= 3) {
        struct served s = {.timeout = CG_NEVER};
        struct cg_coro *server;
        struct cg_sock *sock = NULL;
        ssize_t n;

        OK(cg_sock_pair(cg_sched_self(), &a, &b));
        s.inner = a;
        server = test_start(serves, &s);
        n = cg_yield(cg_tls_connect(b, client_tls, "site.test", &sock, .timeout = limit));
        ck_assert(n == -ETIMEDOUT || n == 0);
        cg_sock_close(n == 0 ? sock : b);
        if (test_end(server) == 0)
            a = s.sock;
        cg_sock_close(a);
    }
    unconfigure();
}

/* A peer that does not speak TLS, or closes the connection. */
static void not_tls(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_sock *sock, *c;
    char why[CG_TLS_WHY_SIZE] = "";

    configure();
    IS(cg_yield(cg_writeall(b, "SSH-2.0-client\r\n", 16)), 16);
    IS(cg_yield(cg_tls_accept(a, server_tls, &sock, .why = why)), CG_ETLS);
    ck_assert_str_eq(why, "the peer does not speak TLS");
    OK(cg_sock_pair(cg_sched_self(), &sock, &c));
    cg_sock_close(c);
    IS(cg_yield(cg_tls_accept(sock, server_tls, &c, .why = why)), CG_EOF);
    ck_assert_str_ne(why, "");
    cg_sock_close(sock);
    IS(cg_yield(cg_tls_accept(a, client_tls, &sock)), -EINVAL); /* no certificate */
    IS(cg_yield(cg_tls_connect(a, client_tls, NULL, &sock)), -EINVAL);
    IS(cg_yield(cg_tls_connect(a, NULL, "site.test", &sock, .why = why)), -EINVAL);
    unconfigure();
    close_both(a, b);
}

/* A client that sends plain HTTP is recognized, whatever the method and however the bytes
 * are cut, and gets no alert. */
static void not_tls_but_http(struct cg_sock *a, struct cg_sock *b)
{
    static const char *const texts[] = {"GET / HTTP/1.1\r\n\r\n", "DELETE /a HTTP/1.1\r\n\r\n",
                                        "OPTIONS * HTTP/1.1\r\n\r\n", "PUT /a HTTP/1.0\r\n"};
    char buf[16];

    close_both(a, b);
    configure();
    for (size_t i = 0; i < 2 * COUNT(texts); i++) {
        const char *text = texts[i / 2];
        size_t len = strlen(text), piece = i % 2 ? 3 : len;
        struct served s = {.timeout = CG_SECOND};
        struct cg_coro *server;

        OK(cg_sock_pair(cg_sched_self(), &s.inner, &b));
        server = test_start(serves, &s);
        IS(cg_yield(cg_writeall(b, text, piece)), (ssize_t)piece);
        OK(cg_yield(cg_pass()));
        IS(cg_yield(cg_writeall(b, text + piece, len - piece)), (ssize_t)(len - piece));
        IS(test_end(server), CG_ETLS_HTTP);
        IS(cg_yield(cg_writeall(s.inner, "in the clear", 12)), 12);
        IS(cg_yield(cg_read(b, buf, sizeof buf)), 12);
        close_both(s.inner, b);
    }
    unconfigure();
}

/* So is a server, by its response to bytes that it does not understand. */
static void not_tls_but_response(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_sock *sock;
    char why[CG_TLS_WHY_SIZE];

    configure();
    IS(cg_yield(cg_writeall(b, "HTTP/1.1 400 Bad Request\r\n\r\n", 28)), 28);
    IS(cg_yield(cg_tls_connect(a, client_tls, "site.test", &sock, .why = why)), CG_ETLS_HTTP);
    ck_assert_str_eq(why, "the peer speaks HTTP without TLS");
    unconfigure();
    close_both(a, b);
}

/* The socket under a handshake may be closed at any time; nothing that the handshake has
 * made is leaked then. The same holds for a handshake that completes as it is cancelled. */
struct shaken {
    enum test_link link;
    bool server;
    struct cg_sock *inner, *sock;
    struct cg_sock *other; /* of the peer */
    struct cg_coro *peer;
};

static ssize_t shakes(void *arg)
{
    struct shaken *s = arg;
    char byte;

    if (s->server)
        cg_yield(cg_tls_connect(s->other, client_tls, "site.test", &s->other));
    else
        cg_yield(cg_tls_accept(s->other, server_tls, &s->other));
    while (cg_yield(cg_read(s->other, &byte, 1)) > 0)
        continue;
    cg_sock_close(s->other);
    return 0;
}

static void shaken_open(void *arg)
{
    struct shaken *s = arg;

    s->sock = NULL;
    test_connect(s->link, &s->inner, &s->other);
    s->peer = test_start(shakes, s);
}

static struct cg_op *shaken_op(void *arg, void *room)
{
    struct shaken *s = arg;

    if (s->server)
        return KEEP_OP(room, cg_tls_op, cg_tls_accept(s->inner, server_tls, &s->sock));
    return KEEP_OP(room, cg_tls_op,
                   cg_tls_connect(s->inner, client_tls, "site.test", &s->sock));
}

static void shaken_close(void *arg)
{
    cg_sock_close(((struct shaken *)arg)->inner);
}

static void shaken_end(void *arg, ssize_t answer, bool closed)
{
    struct shaken *s = arg;

    if (answer < 0)
        ck_assert_ptr_null(s->sock);
    if (!closed)
        cg_sock_close(answer < 0 ? s->inner : s->sock);
    test_end(s->peer);
}

static ssize_t closed_in_handshake(void *arg)
{
    static const enum test_link links[] = {OVER_PAIR, OVER_TCP};

    (void)arg;
    configure();
    for (int i = 0; i < 8; i++)
        closing_at_any_time(&(struct closing){
            .arg = &(struct shaken){.link = links[i / 4], .server = i % 2},
            .open = shaken_open,
            .op = shaken_op,
            .close = i / 2 % 2 ? shaken_close : NULL,
            .end = shaken_end,
            .steps = 200,
            .slowly = links[i / 4] == OVER_TCP,
        });
    unconfigure();
    return 0;
}

static const struct test_case cases[] = {
    LINK(silence, .over = OVER_PAIR | OVER_TCP),
    LINK(cancelled, .over = OVER_PAIR),
    LINK(not_tls, .over = OVER_PAIR | OVER_TCP),
    LINK(not_tls_but_http, .over = OVER_PAIR),
    LINK(not_tls_but_response, .over = OVER_PAIR | OVER_TCP),
    CORO(closed_in_handshake),
};

int main(void)
{
    return tls_main("tls_handshake", cases, COUNT(cases));
}
