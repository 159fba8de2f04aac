/* SPDX-License-Identifier: MIT */
/* An end of the stream that the peer has sent (close_notify) is told from one that it has
 * not. */
#include "config.h"

#include "sockets/sock.h"
#include "tests/sockets/end_cases.h"
#include "tests/sockets/sock_cases.h"
#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_link.h"
#include "tests/tls/tls_main.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static char big[300 * 1024], back[sizeof big];

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

static const struct test_case cases[] = {
    LINK(cut_off),
    LINK(closed_in_order),
    LINK(closed_amid, .over = OVER_PAIR | OVER_TCP),
    LINK(reset_by_option, .over = OVER_TCP),
    LINK(spoilt),
    LINK(shut_for_reading, .over = OVER_PAIR | OVER_TCP),
    LINK(sock_closed, .above = secured, .over = OVER_PAIR | OVER_TCP),
    LINK(gone, .over = OVER_PAIR | OVER_TCP),
    LINK(end_gone_closed, .above = secured, .over = OVER_PAIR | OVER_TCP),
    LINK(end_gently, .above = secured, .over = OVER_PAIR | OVER_TCP),
    LINK(end_gently_lost, .above = secured, .over = OVER_PAIR | OVER_TCP),
    LINK(end_least, .above = secured, .over = OVER_PAIR | OVER_TCP),
};

int main(void)
{
    return tls_main("tls_ends", cases, COUNT(cases));
}
