/* SPDX-License-Identifier: MIT */
/* TLS as a socket, on every reactor and over any other socket: it does whatever a plain
 * socket does. Trust is in test_tls_trust.c. */
#include "config.h"

#include "sockets/sock.h"
#include "tests/sockets/sock_cases.h"
#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_link.h"
#include "tests/tls/tls_main.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static char big[300 * 1024], back[sizeof big];

/* Every operation */

/* The cases for any socket (sock_cases.h), and files as well. A TLS socket has no
 * descriptor. */
static void everything(struct cg_sock *a, struct cg_sock *b)
{
    int file = test_file(50000);
    void *rest;
    size_t size;

    secured(&a, &b);
    IS(cg_yield(cg_sendfile(a, file, 100, 40000)), 40000);
    IS(cg_yield(cg_readall(b, back, 40000)), 40000);
    test_verify(back, 40000, 100);
    IS(cg_yield(cg_sendfile(a, file, 49000, 40000)), 1000);
    IS(cg_yield(cg_readall(b, back, 1000)), 1000);
    test_verify(back, 1000, 49000);
    IS(cg_sock_fd(a), -EOPNOTSUPP);
    IS(cg_sock_detach(a, &rest, &size), -EOPNOTSUPP);
    ck_assert_str_eq(cg_tls_session_error(a), "");
    close(file);
    sock_everything(a, b);
}

/* Addresses and options are those of the socket below. */
static void asks_below(struct cg_sock *a, struct cg_sock *b)
{
    char below[CG_ADDR_SIZE], above[CG_ADDR_SIZE];
    int type = 0;
    size_t size = sizeof type;

    OK(cg_sock_local_addr(a, below, sizeof below));
    secured(&a, &b);
    OK(cg_sock_local_addr(a, above, sizeof above));
    ck_assert_str_eq(above, below);
    OK(cg_sock_peer_addr(a, above, sizeof above));
    OK(cg_sock_getopt(a, SOL_SOCKET, SO_TYPE, &type, &size));
    ck_assert_int_eq(type, SOCK_STREAM);
    close_both(a, b);
}

/* What the handshake has agreed on can be read. A plain socket has no such information. */
static void informs(struct cg_sock *a, struct cg_sock *b)
{
    ck_assert_ptr_null(cg_tls_session_version(a));
    ck_assert_ptr_null(cg_tls_session_peer_name(a));
    ck_assert(!cg_tls_session_resumed(a));
    secured(&a, &b);
    ck_assert_str_eq(cg_tls_session_version(a), "TLSv1.3");
    ck_assert_str_eq(cg_tls_session_alpn(a), "http/1.1");
    ck_assert_str_eq(cg_tls_session_alpn(b), "http/1.1");
    ck_assert_str_eq(cg_tls_session_host(a), "site.test");
    ck_assert_str_eq(cg_tls_session_host(b), "site.test");
    ck_assert_str_eq(cg_tls_session_peer_name(b), "site.test");
    ck_assert_ptr_null(cg_tls_session_peer_name(a));
    close_both(a, b);
}

/* An op that names protocols replaces those of the configuration, or withdraws them. The
 * socket tells what was agreed on to whoever does not know TLS, also through a transport
 * above it; a plain socket and a closed one have no protocol. */
static void agrees(struct cg_sock *a, struct cg_sock *b)
{
    static const struct {
        const char *server, *client, *agreed;
    } cases[] = {{NULL, "h2", "h2"},      {"h2", "http/1.1,h2", "h2"},
                 {"b,a", "a,b", "b"},     {NULL, "", NULL},
                 {"", "h2", NULL},        {NULL, NULL, "http/1.1"}};

    configure();
    ck_assert_ptr_null(cg_sock_protocol(a));
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct served s = {.alpn = cases[i].server};
        struct cg_sock *sock;
        struct cg_coro *server;

        OK(cg_sock_pair(cg_sched_self(), &s.inner, &sock));
        server = test_start(serves, &s);
        OK(cg_yield(cg_tls_connect(sock, client_tls, "site.test", &sock,
                                   .alpn = cases[i].client)));
        OK(test_end(server));
        if (cases[i].agreed != NULL) {
            ck_assert_str_eq(cg_sock_protocol(sock), cases[i].agreed);
            ck_assert_str_eq(cg_sock_protocol(s.sock), cases[i].agreed);
        } else {
            ck_assert_ptr_null(cg_sock_protocol(sock));
            ck_assert_ptr_null(cg_sock_protocol(s.sock));
        }
        cg_sock_keep(sock);
        close_both(s.sock, sock);
        ck_assert_ptr_null(cg_sock_protocol(sock));
        cg_sock_unkeep(sock);
    }
    secure(&a, &b);
    ck_assert_str_eq(cg_sock_protocol(a), "http/1.1");
    close_both(a, b);
    unconfigure();
}

/* Protocols that nobody can agree on end the handshake; a list that is none is refused. */
static void disagrees(struct cg_sock *a, struct cg_sock *b)
{
    struct served s = {.inner = a, .alpn = "h2", .fails = true};
    struct cg_coro *server;
    char why[CG_TLS_WHY_SIZE];

    configure();
    IS(cg_yield(cg_tls_connect(b, client_tls, "site.test", &b, .alpn = "h2,", .why = why)),
       -EINVAL);
    ck_assert_str_eq(why, "alpn: not a list of protocols");
    server = test_start(serves, &s);
    IS(cg_yield(cg_tls_connect(b, client_tls, "site.test", &b, .alpn = "h3")),
       CG_ETLS_REFUSED);
    OK(test_end(server));
    close_both(a, b);
    unconfigure();
}

/* TLS inside TLS, as through a proxy. */
static void twice(struct cg_sock *a, struct cg_sock *b)
{
    char byte;
    struct piece p = {.data = big, .size = sizeof big};
    struct cg_coro *writer;

    secured(&a, &b);
    secured(&b, &a);
    p.sock = a;
    test_fill(big, sizeof big, 0);
    writer = test_start(pours, &p);
    IS(cg_yield(cg_readall(b, back, sizeof back)), sizeof back);
    test_verify(back, sizeof back, 0);
    IS(test_end(writer), sizeof big);
    cg_sock_close(a);
    IS(cg_yield(cg_read(b, &byte, 1)), 0);
    cg_sock_close(b);
}

/* After the handshake */

static SSL *ssl_of(struct cg_sock *sock)
{
    return ((struct cg__tls_conn *)cg_sock_state(sock))->ssl;
}

/* Both sides ask for new keys while both read and write. */
static void new_keys(struct cg_sock *a, struct cg_sock *b)
{
    char buf[1000];

    secured(&a, &b);
    test_fill(big, sizeof big, 0);
    for (size_t i = 0; i < 50; i++) {
        struct cg_sock *from = i % 2 ? a : b, *to = i % 2 ? b : a;

        ck_assert_int_eq(SSL_key_update(ssl_of(from), SSL_KEY_UPDATE_REQUESTED), 1);
        IS(cg_yield(cg_writeall(from, big, sizeof buf)), sizeof buf);
        IS(cg_yield(cg_readall(to, buf, sizeof buf)), sizeof buf);
        test_verify(buf, sizeof buf, 0);
    }
    close_both(a, b);
}

static ssize_t pours_with_new_keys(void *arg)
{
    struct piece *p = arg;

    for (size_t at = 0, n; at < p->size; at += n) {
        n = p->size - at < 10000 ? p->size - at : 10000;
        ck_assert_int_eq(SSL_key_update(ssl_of(p->sock), SSL_KEY_UPDATE_REQUESTED), 1);
        IS(cg_yield(cg_writeall(p->sock, p->data + at, n)), (ssize_t)n);
    }
    return 0;
}

/* New keys in both directions, in the middle of streams that wait for their readers. */
static void new_keys_under_pressure(struct cg_sock *a, struct cg_sock *b)
{
    static char other[sizeof big];
    struct piece out[2] = {{.data = big, .size = sizeof big}, {.data = big, .size = sizeof big}};
    struct piece in[2] = {{.data = back, .size = sizeof big}, {.data = other, .size = sizeof big}};
    struct cg_coro *coros[4];

    secured(&a, &b);
    test_fill(big, sizeof big, 0);
    out[0].sock = in[0].sock = a;
    out[1].sock = in[1].sock = b;
    for (int i = 0; i < 2; i++)
        coros[i] = test_start(pours_with_new_keys, &out[i]);
    IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    for (int i = 0; i < 2; i++)
        coros[2 + i] = test_start(drinks, &in[i]);
    for (int i = 0; i < 4; i++)
        IS(test_end(coros[i]), i < 2 ? 0 : (ssize_t)sizeof big);
    test_verify(back, sizeof back, 0);
    test_verify(other, sizeof other, 0);
    close_both(a, b);
}

/* An idle connection holds no buffer of the pool, also while a read waits. */
static void check_empty(const struct cg_sock *sock)
{
    const struct cg__tls_conn *conn = cg_sock_state(sock);

    ck_assert_ptr_null(sock->input.first);
    ck_assert_ptr_null(conn->inner->input.first);
    ck_assert_ptr_null(conn->queue.first);
}

static void idle_holds_nothing(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *coro;
    char buf[8];
    struct piece r = {.data = buf, .size = 2};

    secured(&a, &b);
    r.sock = b;
    coro = test_start(drinks, &r);
    IS(cg_yield(cg_writeall(a, "x", 1)), 1);
    IS(cg_yield(cg_sleep(5 * CG_MILLISECOND)), 0);
    check_empty(a);
    check_empty(b);
    IS(cg_yield(cg_writeall(a, "x", 1)), 1);
    IS(test_end(coro), 2);
    close_both(a, b);
}

/* The queue is limited, however much is written. */
static void queue_is_limited(struct cg_sock *a, struct cg_sock *b)
{
    struct cg__tls_conn *conn;
    size_t moved;

    secured(&a, &b);
    conn = cg_sock_state(a);
    do {
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
        (void)cg_yield(cg_writeall(a, big, sizeof big, .timeout = 2 * CG_MILLISECOND,
                                   .moved = &moved));
        ck_assert_uint_le(cg__tls_queue_size(&conn->queue),
                          CG__TLS_QUEUE_LIMIT + 2 * CG__TLS_RECORD);
    } while (moved > 0);
    ck_assert_uint_gt(cg__tls_queue_size(&conn->queue), 0);
    close_both(a, b);
}

static ssize_t polls(void *sock)
{
    return cg_yield(cg_poll_sock(sock, CG_IN | CG_OUT));
}

/* Writers wait for one that polls for room and input. */
static void written_beside_poll(struct cg_sock *a, struct cg_sock *b)
{
    struct piece last = {.data = big, .size = 1};
    struct cg_coro *poll, *writer;
    size_t sent = 0, moved;

    secured(&a, &b);
    last.sock = a;
    do {
        test_fill(big, sizeof big, sent);
        (void)cg_yield(cg_writeall(a, big, sizeof big, .timeout = 2 * CG_MILLISECOND,
                                   .moved = &moved));
        sent += moved;
    } while (moved > 0);
    poll = test_start(polls, a);
    test_until_waiting(poll);
    test_fill(big, 1, sent++);
    writer = test_start(pours, &last);
    for (size_t at = 0, n; at < sent; at += n) {
        n = sent - at < sizeof back ? sent - at : sizeof back;
        IS(cg_yield(cg_readall(b, back, n)), (ssize_t)n);
        test_verify(back, n, at);
    }
    IS(test_end(poll), CG_OUT);
    IS(test_end(writer), 1);
    close_both(a, b);
}

static const struct test_case cases[] = {
    LINK(everything),
    LINK(asks_below, .over = OVER_TCP | OVER_UNIX),
    LINK(informs, .over = OVER_PAIR | OVER_TCP),
    LINK(agrees, .over = OVER_PAIR | OVER_TCP),
    LINK(disagrees, .over = OVER_PAIR | OVER_TCP),
    LINK(sock_both_ways, .above = secured),
    LINK(twice, .over = OVER_PAIR | OVER_TCP),
    LINK(new_keys, .over = OVER_PAIR | OVER_TCP),
    LINK(new_keys_under_pressure, .over = OVER_PAIR | OVER_TCP),
    LINK(idle_holds_nothing, .over = OVER_PAIR | OVER_TCP),
    LINK(queue_is_limited, .over = OVER_PAIR | OVER_TCP),
    LINK(written_beside_poll, .over = OVER_PAIR | OVER_TCP),
};

int main(void)
{
    return tls_main("tls", cases, COUNT(cases));
}
