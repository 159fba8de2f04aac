/* SPDX-License-Identifier: MIT */
/* cg_sock_buffer and cg_flush. */
#include "config.h"

#include "tests/sockets/sock_cases.h"
#include "tests/support/support.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 1000 };

static struct cg_sock *buffered(struct cg_sock *sock, size_t size)
{
    OK(cg_sock_buffer(sock, &sock, .size = size));
    return sock;
}

/* Whether the peer can read nothing now. */
static void silent(struct cg_sock *sock)
{
    char byte;

    IS(cg_yield(cg_read(sock, &byte, 1, .timeout = 5 * CG_MILLISECOND)), -ETIMEDOUT);
}

static void reads(struct cg_sock *sock, const char *text)
{
    char buf[64] = "";

    IS(cg_yield(cg_readall(sock, buf, strlen(text))), (ssize_t)strlen(text));
    ck_assert_str_eq(buf, text);
}

/* Small writes, also of several parts, are gathered, without a turn, until they are
 * flushed. */
static void gathers(struct cg_sock *a, struct cg_sock *b)
{
    struct iovec parts[] = {{"two ", 4}, {"three ", 6}};

    a = buffered(a, SIZE);
    IS(cg_yield(cg_flush(a)), 0);
    IS(cg_yield(cg_write(a, "one ", 4, .timeout = CG_NOWAIT)), 4);
    IS(cg_yield(cg_writev(a, parts, 2)), 10);
    IS(cg_yield(cg_writeall(a, "four", 4)), 4);
    silent(b);
    IS(cg_yield(cg_flush(a)), 0);
    reads(b, "one two three four");
    IS(cg_yield(cg_flush(a)), 0);
    silent(b);
    IS(cg_yield(cg_flush(b)), 0); /* gathers nothing */
    IS(cg_yield(cg_writeall(b, "back", 4)), 4);
    reads(a, "back");
    cg_sock_close(a);
    IS(cg_yield(cg_flush(NULL)), -EBADF);
    cg_sock_close(b);
}

/* What does not fit pushes out what is gathered; long writes are not copied. All keep their
 * order, whatever their lengths. */
static ssize_t drinks_all(void *arg)
{
    static char buf[64 * 1024];
    struct cg_sock *sock = *(struct cg_sock **)arg;
    size_t at = 0;
    ssize_t n;

    while ((n = cg_yield(cg_read(sock, buf, sizeof buf))) > 0) {
        test_verify(buf, (size_t)n, at);
        at += (size_t)n;
    }
    return n < 0 ? n : (ssize_t)at;
}

static void ordered(struct cg_sock *a, struct cg_sock *b)
{
    static char bytes[40 * 1000];
    struct cg_coro *peer = test_start(drinks_all, &b);
    int file = test_file(200 * 1000);
    uint64_t seed = 3;
    size_t at = 0;

    a = buffered(a, SIZE);
    for (int i = 0; i < 300; i++) {
        size_t len = test_random(&seed) % (i % 10 == 0 ? sizeof bytes : SIZE);
        struct iovec parts[] = {{bytes, len / 3}, {bytes + len / 3, len - len / 3}};

        if (at + len < 200 * 1000 && i % 20 == 5 && !test_on_sim()) {
            IS(cg_yield(cg_sendfile(a, file, (int64_t)at, len)), (ssize_t)len);
        } else if (i % 3 == 0) {
            test_fill(bytes, len, at);
            IS(cg_yield(cg_writev(a, parts, 2)), (ssize_t)len);
        } else {
            test_fill(bytes, len, at);
            IS(cg_yield(cg_writeall(a, bytes, len)), (ssize_t)len);
        }
        at += len;
    }
    IS(cg_yield(cg_shutdown(a, SHUT_WR)), 0);
    IS(test_end(peer), (ssize_t)at);
    close(file);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* Writes and flushes that are cut off while the peer does not read lose nothing: .moved
 * bytes are written or gathered. */
static void cut(struct cg_sock *a, struct cg_sock *b)
{
    static char bytes[3 * SIZE];
    struct cg_coro *peer;
    uint64_t seed = 5;
    size_t at = 0, cuts = 0;

    a = buffered(a, SIZE);
    while (cuts < 20) {
        size_t len = 1 + test_random(&seed) % sizeof bytes, moved = 0;
        ssize_t n;

        test_fill(bytes, len, at);
        n = cg_yield(cg_writeall(a, bytes, len, .moved = &moved,
                                 .timeout = cuts % 2 ? CG_NOWAIT : CG_MILLISECOND));
        at += moved;
        cuts += n == -ETIMEDOUT;
        if (cuts > 0 && test_random(&seed) % 4 == 0)
            cuts += cg_yield(cg_flush(a, .timeout = CG_MILLISECOND)) == -ETIMEDOUT;
    }
    peer = test_start(drinks_all, &b);
    IS(cg_yield(cg_flush(a)), 0);
    cg_sock_close(a);
    IS(test_end(peer), (ssize_t)at);
    cg_sock_close(b);
}

/* Each way to end a stream: shutdown and a gentle close write what is gathered, and a plain
 * close what the kernel takes at once. */
static void ends(struct cg_sock *a, struct cg_sock *b)
{
    char byte;

    a = buffered(a, 0);
    IS(cg_yield(cg_writeall(a, "half", 4)), 4);
    IS(cg_yield(cg_shutdown(a, SHUT_WR)), 0);
    reads(b, "half");
    IS(cg_yield(cg_read(b, &byte, 1)), 0);
    b = buffered(b, 0);
    IS(cg_yield(cg_writeall(b, "plain", 5)), 5);
    cg_sock_close(b);
    reads(a, "plain");
    cg_sock_close(a);
}

static ssize_t closes_gently(void *sock)
{
    return cg_yield(cg_close_gently(sock));
}

static void gently(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *coro;
    char byte;

    a = buffered(a, 0);
    IS(cg_yield(cg_writeall(a, "last", 4)), 4);
    coro = test_start(closes_gently, a);
    reads(b, "last");
    IS(cg_yield(cg_read(b, &byte, 1)), 0);
    cg_sock_close(b);
    IS(test_end(coro), 0);
}

static ssize_t flushes(void *sock)
{
    return cg_yield(cg_flush(sock));
}

/* Closing wakes a flush that is stuck. Nobody else may write meanwhile. */
static void closed(struct cg_sock *a, struct cg_sock *b)
{
    static char bytes[256 * 1024];
    struct cg_coro *coro;

    a = buffered(a, 0);
    do { /* until bytes are gathered that nobody takes */
        while (cg_yield(cg_writeall(a, bytes, sizeof bytes, .timeout = 5 * CG_MILLISECOND)) > 0)
            ;
        cg_yield(cg_write(a, bytes, 1000, .timeout = CG_NOWAIT));
    } while (cg_yield(cg_flush(a, .timeout = 20 * CG_MILLISECOND)) != -ETIMEDOUT);
    coro = test_start(flushes, a);
    test_until_waiting(coro);
    IS(cg_yield(cg_writeall(a, bytes, sizeof bytes)), -EBUSY);
    cg_sock_close(a);
    IS(test_end(coro), -EBADF);
    cg_sock_close(b);
}

static ssize_t invalid(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *a, *b, *none = NULL;

    (void)arg;
    IS(cg_sock_buffer(listener, &none), -EINVAL);
    test_tcp(&a, &b);
    IS(cg_sock_buffer(a, &none, .size = CG_BUFFER_MOST + 1), -EINVAL);
    ck_assert_ptr_null(none);
    a = buffered(buffered(a, CG_BUFFER_MOST), 1); /* one over the other */
    IS(cg_yield(cg_writeall(a, "x", 1)), 1);
    cg_sock_close(a);
    reads(b, "x");
    cg_sock_close(b);
    cg_sock_close(listener);
    return 0;
}

/* Reading, racing and closing work as on any socket. */
static void raced(struct cg_sock *a, struct cg_sock *b)
{
    sock_raced(buffered(a, 0), b);
}

static const struct test_case cases[] = {
    LINK(gathers), LINK(ordered), LINK(cut),  LINK(ends),
    LINK(gently),  LINK(closed),  LINK(raced), CORO(invalid),
};

int main(void)
{
    return test_main("buffered", cases, COUNT(cases));
}
