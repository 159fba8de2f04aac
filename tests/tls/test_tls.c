/* SPDX-License-Identifier: MIT */
/* TLS as a socket, on every reactor and over any other socket: it does whatever a plain
 * socket does. No encrypted byte is lost or comes twice, whichever op is cancelled. An end
 * of the stream that the peer has sent (close_notify) is told from one that it has not.
 * Trust is in test_tls_trust.c. */
#include "config.h"

#include "sockets/sock.h"
#include "tests/support/closing.h"
#include "tests/sockets/end_cases.h"
#include "tests/sockets/sock_cases.h"
#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tls/conn.h"

#include <cogen/transport.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char big[300 * 1024], back[sizeof big];

/* Two ends */

static struct cg_tls *server_tls, *client_tls;

static void configure(void)
{
    OK(cg_tls_new(&server_tls, .cert = cert_path("site.pem"), .alpn = "h2,http/1.1"));
    OK(cg_tls_new(&client_tls, .ca_file = cert_path("ca.pem"), .alpn = "http/1.1"));
}

static void unconfigure(void)
{
    cg_tls_free(server_tls);
    cg_tls_free(client_tls);
    server_tls = client_tls = NULL;
}

struct served {
    struct cg_sock *inner, *sock;
    int64_t timeout;
    const char *alpn;
    bool fails;
};

static ssize_t serves(void *arg)
{
    struct served *s = arg;

    ssize_t n = cg_yield(cg_tls_accept(s->inner, server_tls, &s->sock, .alpn = s->alpn,
                                       .timeout = s->timeout));

    return s->fails && n < 0 ? 0 : n;
}

/* Makes TLS sockets of both ends of a connection: *a is the server's. */
static void secure(struct cg_sock **a, struct cg_sock **b)
{
    struct served s = {.inner = *a};
    struct cg_coro *server = test_start(serves, &s);

    OK(cg_yield(cg_tls_connect(*b, client_tls, "site.test", b)));
    OK(test_end(server));
    *a = s.sock;
}

/* Makes them with configurations that are freed before the sockets. */
static void secured(struct cg_sock **a, struct cg_sock **b)
{
    configure();
    secure(a, b);
    unconfigure();
}

static void close_both(struct cg_sock *a, struct cg_sock *b)
{
    cg_sock_close(a);
    cg_sock_close(b);
}

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

static void both_ways(struct cg_sock *a, struct cg_sock *b)
{
    secured(&a, &b);
    sock_both_ways(a, b);
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

/* Ends of streams */

static struct cg_sock *inner_of(struct cg_sock *sock)
{
    return ((struct cg__tls_conn *)cg_sock_state(sock))->inner;
}

/* After a close_notify the end of the stream is a normal end. Without it every read fails,
 * once the bytes before it have been read. */
static void cut_off(struct cg_sock *a, struct cg_sock *b)
{
    char buf[16];

    secured(&a, &b);
    IS(cg_yield(cg_writeall(a, "half", 4)), 4);
    IS(cg_yield(cg_shutdown(inner_of(a), SHUT_WR)), 0);
    IS(cg_yield(cg_readline(b, buf, sizeof buf)), CG_ETLS_CUT);
    IS(cg_yield(cg_read(b, buf, sizeof buf)), 4);
    for (int i = 0; i < 2; i++)
        IS(cg_yield(cg_read(b, buf, sizeof buf)), CG_ETLS_CUT);
    IS(cg_yield(cg_readall(b, buf, 1)), CG_ETLS_CUT);
    ck_assert(OK(cg_yield(cg_poll_sock(b, CG_IN))) & CG_IN);
    close_both(a, b);
}

/* Closing a socket sends close_notify, also after its last write. */
static void closed_in_order(struct cg_sock *a, struct cg_sock *b)
{
    char buf[16];

    secured(&a, &b);
    IS(cg_yield(cg_writeall(a, "whole", 5)), 5);
    cg_sock_close(a);
    IS(cg_yield(cg_readall(b, buf, 5)), 5);
    for (int i = 0; i < 2; i++)
        IS(cg_yield(cg_read(b, buf, sizeof buf)), 0);
    cg_sock_close(b);
}

static ssize_t closes(void *arg)
{
    cg_sock_close(arg);
    return 0;
}

/* Makes a write time out in the middle of its bytes. A write that moves all or none of them
 * leaves the stream whole, so the test tries again; after none the peer reads some to make
 * room. */
static void write_half(struct cg_sock *a, struct cg_sock *b)
{
    size_t moved;
    ssize_t n;

    for (;;) {
        n = cg_yield(cg_writeall(a, big, sizeof big, .moved = &moved,
                                 .timeout = CG_MILLISECOND));
        if (n < 0 && moved > 0 && moved < sizeof big)
            return;
        if (n < 0 && moved == 0)
            OK(cg_yield(cg_read(b, back, sizeof back)));
    }
}

/* Closing does not wait. A stream that ends inside a write is cut, whether the writer's
 * timeout or the close ended the write, and even if all queued bytes could still be
 * sent. */
static void closed_amid(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_sock *all[3][2] = {{a, b}};
    struct cg_coro *closer;
    ssize_t n;

    OK(cg_sock_pair(cg_sched_self(), &all[1][0], &all[1][1]));
    test_tcp(&all[2][0], &all[2][1]);
    for (int i = 0; i < 3; i++) {
        secured(&all[i][0], &all[i][1]);
        a = all[i][0], b = all[i][1];
        write_half(a, b);
        while (i == 2 && (n = cg_yield(cg_read(b, back, sizeof back,
                                               .timeout = 10 * CG_MILLISECOND))) > 0)
            continue;
        closer = i == 1 ? test_start(closes, a) : NULL;
        if (closer != NULL)
            IS(cg_yield(cg_writeall(a, big, sizeof big)), -EBADF);
        else
            cg_sock_close(a);
        while ((n = cg_yield(cg_read(b, back, sizeof back))) > 0)
            continue;
        IS(n, CG_ETLS_CUT);
        cg_sock_close(b);
        if (closer != NULL)
            test_end(closer);
    }
}

/* A socket that is reset on close (SO_LINGER 0) sends no close_notify. */
static void reset_by_option(struct cg_sock *a, struct cg_sock *b)
{
    struct linger linger = {.l_onoff = 1};
    char buf[16];
    ssize_t n;

    secured(&a, &b);
    IS(cg_yield(cg_writeall(a, "half", 4)), 4);
    IS(cg_yield(cg_readall(b, buf, 4)), 4);
    OK(cg_sock_setopt(a, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    cg_sock_close(a);
    n = cg_yield(cg_read(b, buf, sizeof buf));
    ck_assert(n == -ECONNRESET || n == CG_ETLS_CUT);
    cg_sock_close(b);
}

/* A stream that is not TLS, or was changed on its way, fails, and stays failed. The peer
 * gets an alert. */
static void spoilt(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_sock *inner = a;
    char buf[16];

    secured(&a, &b);
    IS(cg_yield(cg_writeall(inner, "\x17\x03\x03\x00\x20 these are not the right bytes..", 37)),
       37);
    for (int i = 0; i < 2; i++)
        IS(cg_yield(cg_read(b, buf, sizeof buf)), CG_ETLS);
    ck_assert_str_ne(cg_tls_session_error(b), "");
    IS(cg_yield(cg_write(b, "x", 1)), CG_ETLS);
    IS(cg_yield(cg_read(a, buf, sizeof buf)), CG_ETLS_REFUSED);
    ck_assert_ptr_nonnull(strstr(cg_tls_session_error(a), "bad record mac"));
    close_both(a, b);
}

/* After a shutdown for reading a read returns the end of the stream. A waiting read does
 * too. */
static ssize_t shuts(void *arg)
{
    return cg_yield(cg_shutdown(arg, SHUT_RD));
}

static void shut_for_reading(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *coro;
    char buf[4];

    secured(&a, &b);
    coro = test_start(shuts, a);
    IS(cg_yield(cg_read(a, buf, sizeof buf)), 0);
    IS(test_end(coro), 0);
    IS(cg_yield(cg_read(a, buf, sizeof buf)), 0);
    close_both(a, b);
}

static void closed(struct cg_sock *a, struct cg_sock *b)
{
    secured(&a, &b);
    sock_closed(a, b);
}

/* Cancelled operations */

/* A writer that is cut short has written as many bytes, in order, as its count says. The
 * bytes of the next writer follow them, whichever coroutine sends them. */
static void short_writers(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *writer;
    struct piece p = {.data = big, .size = sizeof big};
    size_t sent = 0, moved = 0;
    int failed = 0;

    secured(&a, &b);
    while (failed < 5) {
        ssize_t n;

        test_fill(big, sizeof big, sent);
        n = cg_yield(cg_writeall(a, big, sizeof big, .moved = &moved,
                                 .timeout = CG_MILLISECOND));
        ck_assert(n == -ETIMEDOUT || (n == sizeof big && moved == sizeof big));
        failed += n < 0;
        sent += moved;
    }
    test_fill(big, sizeof big, sent);
    p.sock = a;
    writer = test_start(pours, &p);
    sent += sizeof big;
    for (size_t at = 0, n; at < sent; at += n) {
        n = sent - at < sizeof back ? sent - at : sizeof back;
        IS(cg_yield(cg_readall(b, back, n)), (ssize_t)n);
        test_verify(back, n, at);
    }
    IS(test_end(writer), sizeof big);
    close_both(a, b);
}

/* The bytes that a cancelled writer has queued are sent by a reader, even by one that waits
 * already. */
static void reader_sends(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *reader;
    char buf[4];
    struct piece r = {.data = buf, .size = 1};
    size_t moved = 0, sum = 0;

    secured(&a, &b);
    r.sock = a;
    reader = test_start(drinks, &r);
    do {
        sum += moved;
        test_fill(big, sizeof big, sum);
    } while (cg_yield(cg_writeall(a, big, sizeof big, .moved = &moved,
                                  .timeout = CG_MILLISECOND)) >= 0);
    sum += moved;
    for (size_t at = 0, n; at < sum; at += n) { /* without them the test hangs here */
        n = sum - at < sizeof back ? sum - at : sizeof back;
        IS(cg_yield(cg_readall(b, back, n)), (ssize_t)n);
        test_verify(back, n, at);
    }
    IS(cg_yield(cg_writeall(b, "x", 1)), 1);
    IS(test_end(reader), 1);
    close_both(a, b);
}

static void raced(struct cg_sock *a, struct cg_sock *b)
{
    secured(&a, &b);
    sock_raced(a, b);
}

/* A read and a write in one cg_any, cancelled many times at random moments, from far too
 * early to too late: both streams stay whole. */
static void raced_both_ways(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *peer_reads, *peer_writes;
    static char other[sizeof big];
    struct piece in = {.data = back, .size = sizeof back}, out = {.data = big};
    size_t sent = 0, got = 0, moved;
    uint64_t seed = 1;

    secured(&a, &b);
    in.sock = out.sock = b;
    out.size = sizeof big;
    test_fill(big, sizeof big, 0);
    peer_reads = test_start(drinks, &in);
    peer_writes = test_start(pours, &out);
    while (sent < sizeof big || got < sizeof big) {
        struct cg_op *write = cg_writeall(a, big + sent, sizeof big - sent, .moved = &moved);
        struct cg_op *read = cg_read(a, other + got, sizeof big - got, .result = -ECANCELED);
        struct cg_op *sleep = cg_sleep(CG_MICROSECOND << test_random(&seed) % 12);

        moved = 0;
        if (sent == sizeof big)
            OK(cg_yield(cg_any((read, sleep))));
        else if (got == sizeof big)
            OK(cg_yield(cg_any((write, sleep))));
        else
            OK(cg_yield(cg_any((read, write, sleep))));
        sent += moved;
        if (got == sizeof big || cg_op_result(read) == -ECANCELED)
            continue;
        ck_assert_int_gt(OK(cg_op_result(read)), 0);
        got += (size_t)cg_op_result(read);
    }
    IS(test_end(peer_reads), sizeof back);
    IS(test_end(peer_writes), sizeof big);
    test_verify(back, sizeof back, 0);
    test_verify(other, sizeof other, 0);
    close_both(a, b);
}

static ssize_t waits_gone(void *sock)
{
    return cg_yield(cg_wait_gone(sock));
}

/* A wait for the peer's end completes when the connection below ends, although other
 * coroutines read and input is unread. */
static void gone(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *first, *second;
    char line[8];

    secured(&a, &b);
    first = test_start(waits_gone, a);
    second = test_start(waits_gone, a);
    IS(cg_yield(cg_writeall(b, "line\nrest", 9)), 9);
    IS(cg_yield(cg_any((cg_wait_gone(a), cg_readline(a, line, sizeof line)))), 1);
    IS(cg_yield(cg_wait_gone(a, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    cg_sock_close(b);
    IS(test_end(first), 0);
    IS(test_end(second), 0);
    IS(cg_yield(cg_readall(a, line, 4)), 4);
    IS(cg_yield(cg_read(a, line, sizeof line)), 0);
    IS(cg_yield(cg_wait_gone(a)), 0);
    cg_sock_close(a);
}

static void gone_closed(struct cg_sock *a, struct cg_sock *b)
{
    secured(&a, &b);
    end_gone_closed(a, b);
}

static void gently(struct cg_sock *a, struct cg_sock *b)
{
    secured(&a, &b);
    end_gently(a, b);
}

static void gently_lost(struct cg_sock *a, struct cg_sock *b)
{
    secured(&a, &b);
    end_gently_lost(a, b);
}

static void least(struct cg_sock *a, struct cg_sock *b)
{
    secured(&a, &b);
    end_least(a, b);
}

static void weak(struct cg_sock *a, struct cg_sock *b)
{
    secured(&a, &b);
    sock_weak(a, b);
}

/* Handshakes */

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
    ck_assert_str_eq(why, "wrong version number");
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

/* Closed during the handshake */

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
    LINK(everything),
    LINK(asks_below, .over = OVER_TCP | OVER_UNIX),
    LINK(informs, .over = OVER_PAIR | OVER_TCP),
    LINK(agrees, .over = OVER_PAIR | OVER_TCP),
    LINK(disagrees, .over = OVER_PAIR | OVER_TCP),
    LINK(both_ways),
    LINK(twice, .over = OVER_PAIR | OVER_TCP),
    LINK(cut_off),
    LINK(closed_in_order),
    LINK(closed_amid, .over = OVER_PAIR | OVER_TCP),
    LINK(reset_by_option, .over = OVER_TCP),
    LINK(spoilt),
    LINK(shut_for_reading, .over = OVER_PAIR | OVER_TCP),
    LINK(closed, .over = OVER_PAIR | OVER_TCP),
    LINK(short_writers, .over = OVER_PAIR | OVER_TCP),
    LINK(reader_sends, .over = OVER_PAIR | OVER_TCP),
    LINK(raced, .over = OVER_PAIR | OVER_TCP),
    LINK(raced_both_ways, .over = OVER_PAIR | OVER_TCP),
    LINK(gone, .over = OVER_PAIR | OVER_TCP),
    LINK(gone_closed, .over = OVER_PAIR | OVER_TCP),
    LINK(gently, .over = OVER_PAIR | OVER_TCP),
    LINK(gently_lost, .over = OVER_PAIR | OVER_TCP),
    LINK(least, .over = OVER_PAIR | OVER_TCP),
    LINK(weak, .where = ON_SIM),
    LINK(silence, .over = OVER_PAIR | OVER_TCP),
    LINK(cancelled, .over = OVER_PAIR),
    LINK(not_tls, .over = OVER_PAIR | OVER_TCP),
    LINK(not_tls_but_http, .over = OVER_PAIR),
    LINK(new_keys, .over = OVER_PAIR | OVER_TCP),
    LINK(idle_holds_nothing, .over = OVER_PAIR | OVER_TCP),
    LINK(queue_is_limited, .over = OVER_PAIR | OVER_TCP),
    CORO(closed_in_handshake),
};

int main(void)
{
    int result;

    certs_open();
    result = test_main("tls", cases, COUNT(cases));
    certs_close();
    return result;
}
