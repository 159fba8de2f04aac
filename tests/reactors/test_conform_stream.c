/* SPDX-License-Identifier: MIT */
/* Bytes over connected sockets, on every reactor and every kind of connection: all bytes
 * come once and in order, whatever the sizes. Ends of streams. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char big[1 << 20];

static void write_text(struct cg_sock *sock, const char *text)
{
    IS(cg_yield(cg_writeall(sock, text, strlen(text))), (ssize_t)strlen(text));
}

/* Reading */

/* Written bytes are read. At the end of the stream every read returns 0. */
static void read_and_write(struct cg_sock *a, struct cg_sock *b)
{
    char buf[16] = "";

    write_text(a, "ping");
    IS(cg_yield(cg_readall(b, buf, 4)), 4);
    ck_assert_str_eq(buf, "ping");
    write_text(b, "pong");
    IS(cg_yield(cg_readall(a, buf, 4)), 4);
    ck_assert_str_eq(buf, "pong");
    cg_sock_close(a);
    for (int i = 0; i < 3; i++)
        IS(cg_yield(cg_read(b, buf, sizeof buf)), 0);
    IS(cg_yield(cg_readline(b, buf, sizeof buf)), 0);
    IS(cg_yield(cg_readall(b, buf, 1)), CG_EOF);
    cg_sock_close(b);
}

/* readall reads all bytes. An early end is CG_EOF, and .moved says how many bytes came. */
static void readall_ends_early(struct cg_sock *a, struct cg_sock *b)
{
    char buf[16];
    size_t moved = 99;

    write_text(a, "0123456789");
    IS(cg_yield(cg_readall(b, buf, 4, .moved = &moved)), 4);
    ck_assert_uint_eq(moved, 4);
    cg_sock_close(a);
    IS(cg_yield(cg_readall(b, buf, 16, .moved = &moved)), CG_EOF);
    ck_assert_uint_eq(moved, 6);
    ck_assert_mem_eq(buf, "456789", 6);
    cg_sock_close(b);
}

static ssize_t writes_pieces(void *arg)
{
    static const char *const pieces[] = {"o", "ne\n\ntw", "o", "\nthree\nfour\r\nfi", "ve"};
    struct cg_sock *sock = arg;

    for (size_t i = 0; i < COUNT(pieces); i++) {
        write_text(sock, pieces[i]);
        OK(cg_yield(cg_pass()));
    }
    cg_sock_close(sock);
    return 0;
}

/* A line comes whole, whatever the sizes of the writes. The last one may lack its
 * newline. */
static void lines(struct cg_sock *a, struct cg_sock *b)
{
    static const char *const wanted[] = {"one\n", "\n", "two\n", "three\n", "four\r\n", "five"};
    struct cg_coro *writer = test_start(writes_pieces, a);
    char line[64];

    for (size_t i = 0; i < COUNT(wanted); i++) {
        IS(cg_yield(cg_readline(b, line, sizeof line)), (ssize_t)strlen(wanted[i]));
        ck_assert_str_eq(line, wanted[i]);
    }
    IS(cg_yield(cg_readline(b, line, sizeof line)), 0);
    cg_sock_close(b);
    IS(test_end(writer), 0);
}

/* A line that does not fit is an error that loses nothing: it can then be read in any
 * way. */
static void line_too_long(struct cg_sock *a, struct cg_sock *b)
{
    char line[64];

    write_text(a, "abcdefg\nnext\n");
    IS(cg_yield(cg_readline(b, line, 8)), -EMSGSIZE);
    IS(cg_yield(cg_readline(b, line, 4)), -EMSGSIZE);
    IS(cg_yield(cg_readline(b, line, 9)), 8); /* just large enough, with the NUL */
    ck_assert_str_eq(line, "abcdefg\n");
    IS(cg_yield(cg_readline(b, line, 5)), -EMSGSIZE);
    IS(cg_yield(cg_readall(b, line, 2)), 2);
    ck_assert_mem_eq(line, "ne", 2);
    IS(cg_yield(cg_readline(b, line, 5)), 3);
    ck_assert_str_eq(line, "xt\n");
    cg_sock_close(a);
    cg_sock_close(b);
}

static ssize_t writes_much(void *arg)
{
    struct cg_sock *sock = arg;

    IS(cg_yield(cg_writeall(sock, big, sizeof big)), sizeof big);
    cg_sock_close(sock);
    return 0;
}

/* A line that exceeds the input's limit is an error as well, also if its end has arrived
 * already, and nothing is lost. */
static void line_beyond_limit(struct cg_sock *a, struct cg_sock *b)
{
    static char line[2 * CG_INPUT_LIMIT], rest[sizeof big];
    struct cg_coro *writer;

    test_fill(big, sizeof big, 0);
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = big[i] == '\n' ? 'x' : big[i];
    big[CG_INPUT_LIMIT + 5000] = '\n';
    writer = test_start(writes_much, a);
    IS(cg_yield(cg_readline(b, line, sizeof line)), -EMSGSIZE);
    IS(cg_yield(cg_readall(b, rest, sizeof rest)), sizeof rest);
    ck_assert(!memcmp(rest, big, sizeof big));
    IS(cg_yield(cg_read(b, rest, sizeof rest)), 0);
    cg_sock_close(b);
    IS(test_end(writer), 0);
}

/* Borrowed bytes stay unread until they are released. Other reads are refused meanwhile. */
static void borrow(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_view view, second;
    char buf[16];

    write_text(a, "0123456789");
    OK(cg_yield(cg_poll_sock(b, CG_IN)));
    OK(cg_yield(cg_borrow(b, &view)));
    ck_assert_uint_ge(view.len, 1);
    ck_assert_int_eq(view.data[0], '0');
    IS(cg_yield(cg_read(b, buf, sizeof buf)), -EBUSY);
    IS(cg_yield(cg_borrow(b, &second)), -EBUSY);
    IS(cg_yield(cg_readline(b, buf, sizeof buf)), -EBUSY);
    cg_view_release(&view, 1);
    IS(cg_yield(cg_readall(b, buf, 3)), 3);
    ck_assert_mem_eq(buf, "123", 3);
    OK(cg_yield(cg_borrow(b, &view)));
    cg_view_release(&view, 0);
    IS(cg_yield(cg_readall(b, buf, 6)), 6);
    ck_assert_mem_eq(buf, "456789", 6);
    write_text(a, "last");
    cg_sock_close(a);
    for (ssize_t n, left = 4; left; left -= n) {
        n = OK(cg_yield(cg_borrow(b, &view)));
        ck_assert_int_gt(n, 0);
        cg_view_release(&view, (size_t)n);
    }
    IS(cg_yield(cg_borrow(b, &view)), 0);
    cg_sock_close(b);
}

/* Closing a socket ends the views that were borrowed from it. */
static void close_while_lent(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_view view;

    write_text(a, "x");
    IS(cg_yield(cg_borrow(b, &view)), 1);
    cg_sock_close(b);
    cg_sock_close(a);
}

/* Both directions at once */

enum { STREAM = 1500000 };

struct flow {
    struct cg_sock *sock;
    uint64_t seed;
};

static ssize_t pours(void *arg)
{
    struct flow *f = arg;
    char buf[30000];

    for (size_t at = 0; at < STREAM;) {
        size_t size = test_random(&f->seed) % sizeof buf + 1;
        ssize_t n;

        size = size > STREAM - at ? STREAM - at : size;
        test_fill(buf, size, at);
        if (test_random(&f->seed) % 2) {
            n = cg_yield(cg_write(f->sock, buf, size));
        } else {
            struct iovec iov[3] = {{buf, size / 3}, {buf + size / 3, 0},
                                   {buf + size / 3, size - size / 3}};

            n = cg_yield(cg_writev(f->sock, iov, 3));
            IS(n, (ssize_t)size);
        }
        ck_assert_int_ge(OK(n), 1);
        at += (size_t)n;
    }
    return cg_yield(cg_shutdown(f->sock, SHUT_WR));
}

static ssize_t drinks_once(struct flow *f, size_t at)
{
    char buf[30000];
    size_t size = test_random(&f->seed) % sizeof buf + 1;
    struct cg_view view;
    ssize_t n;

    switch (test_random(&f->seed) % 3) {
    case 0:
        n = cg_yield(cg_read(f->sock, buf, size));
        break;
    case 1:
        n = cg_yield(cg_borrow(f->sock, &view));
        if (n <= 0)
            return n;
        size = size > view.len ? view.len : size;
        test_verify(view.data, size, at);
        cg_view_release(&view, size);
        return (ssize_t)size;
    default:
        size = size > STREAM - at ? STREAM - at : size;
        n = size ? cg_yield(cg_readall(f->sock, buf, size))
                 : cg_yield(cg_read(f->sock, buf, 1));
    }
    if (n > 0)
        test_verify(buf, (size_t)n, at);
    return n;
}

static ssize_t drinks(void *arg)
{
    struct flow *f = arg;
    size_t at = 0;
    ssize_t n;

    while ((n = OK(drinks_once(f, at))) > 0)
        at += (size_t)n;
    ck_assert_uint_eq(at, STREAM);
    return 0;
}

/* Megabytes in both directions at once, in sizes that match no buffer, with every kind of
 * write and read: every byte comes once, in its place. */
static void full_duplex(struct cg_sock *a, struct cg_sock *b)
{
    struct flow flows[] = {{a, 1}, {b, 2}, {a, 3}, {b, 4}};
    struct cg_coro *coros[4];

    for (int i = 0; i < 4; i++)
        coros[i] = test_start(i < 2 ? pours : drinks, &flows[i]);
    for (int i = 0; i < 4; i++)
        IS(test_end(coros[i]), 0);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* Writing */

static ssize_t reads_much(void *arg)
{
    char *buf = malloc(sizeof big);
    ssize_t n = cg_yield(cg_readall(arg, buf, sizeof big));

    if (n > 0)
        test_verify(buf, (size_t)n, 0);
    free(buf);
    return n;
}

/* A writeall of more than the buffers hold waits for the reader, and returns the whole
 * length. */
static void writeall_waits(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *reader;
    size_t moved = 0;

    test_fill(big, sizeof big, 0);
    reader = test_start(reads_much, b);
    IS(cg_yield(cg_writeall(a, big, sizeof big, .moved = &moved)), sizeof big);
    ck_assert_uint_eq(moved, sizeof big);
    IS(test_end(reader), sizeof big);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* writev takes as many parts as are allowed, some of them empty. One more is refused. */
static void writev_many_parts(struct cg_sock *a, struct cg_sock *b)
{
    static struct iovec iov[CG_IOV_LIMIT + 1];
    struct cg_coro *reader;
    size_t at = 0;

    test_fill(big, sizeof big, 0);
    for (size_t i = 0; i < CG_IOV_LIMIT; i++) {
        size_t size = i % 5 == 0 ? 0 : i % 1001;

        iov[i] = (struct iovec){big + at, size};
        at += size;
    }
    iov[CG_IOV_LIMIT - 1].iov_len += sizeof big - at;
    reader = test_start(reads_much, b);
    IS(cg_yield(cg_writev(a, iov, CG_IOV_LIMIT + 1)), -EINVAL);
    IS(cg_yield(cg_writev(a, iov, CG_IOV_LIMIT)), sizeof big);
    IS(test_end(reader), sizeof big);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* sendfile sends from an offset, leaves the file's position alone, and stops at the end of
 * the file. */
static void sendfile_whole_and_part(struct cg_sock *a, struct cg_sock *b)
{
    int file = test_file(sizeof big);
    struct cg_coro *reader = test_start(reads_much, b);
    size_t moved = 0;
    char buf[128];

    IS(lseek(file, 7, SEEK_SET), 7);
    IS(cg_yield(cg_sendfile(a, file, 0, sizeof big, .moved = &moved)), sizeof big);
    ck_assert_uint_eq(moved, sizeof big);
    IS(test_end(reader), sizeof big);
    IS(cg_yield(cg_sendfile(a, file, sizeof big - 100, 5000)), 100);
    IS(cg_yield(cg_readall(b, buf, 100)), 100);
    test_verify(buf, 100, sizeof big - 100);
    IS(cg_yield(cg_sendfile(a, file, sizeof big + 5, 10)), 0);
    IS(cg_yield(cg_sendfile(a, file, 1000, 17)), 17);
    IS(cg_yield(cg_readall(b, buf, 17)), 17);
    test_verify(buf, 17, 1000);
    IS(lseek(file, 0, SEEK_CUR), 7);
    close(file);
    IS(cg_yield(cg_sendfile(a, file, 0, 10)), -EBADF);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* Ends of streams */

/* After a shutdown of one direction the peer reads the end of the stream, and the other
 * direction goes on. Our own writes fail with an error, without SIGPIPE. */
static void half_close(struct cg_sock *a, struct cg_sock *b)
{
    char buf[16];

    write_text(a, "request");
    IS(cg_yield(cg_shutdown(a, SHUT_WR)), 0);
    IS(cg_yield(cg_readall(b, buf, 7)), 7);
    IS(cg_yield(cg_read(b, buf, sizeof buf)), 0);
    IS(cg_yield(cg_writeall(a, "x", 1)), -EPIPE);
    write_text(b, "answer");
    IS(cg_yield(cg_readall(a, buf, 6)), 6);
    ck_assert_mem_eq(buf, "answer", 6);
    cg_sock_close(b);
    IS(cg_yield(cg_read(a, buf, sizeof buf)), 0);
    cg_sock_close(a);
}

struct last_words {
    struct cg_sock *sock;
    size_t size;
};

static ssize_t writes_and_closes(void *arg)
{
    struct last_words *w = arg;

    IS(cg_yield(cg_writeall(w->sock, big, w->size)), (ssize_t)w->size);
    cg_sock_close(w->sock);
    return 0;
}

static size_t drain(struct cg_sock *sock)
{
    char buf[1500];
    size_t got = 0;
    ssize_t n;

    while ((n = OK(cg_yield(cg_read(sock, buf, sizeof buf)))) > 0) {
        test_verify(buf, (size_t)n, got);
        got += (size_t)n;
    }
    return got;
}

/* Data and the end of the stream come as one event. All data are read, then the end,
 * whether or not the reader waited before they came. */
static ssize_t data_and_end_at_once(void *arg)
{
    static const enum test_link kinds[] = {OVER_TCP, OVER_UNIX, OVER_PAIR};
    static const size_t sizes[] = {1, 1499, 1500, 16 * 1024, 50000};
    struct cg_sock *a, *b;

    (void)arg;
    test_fill(big, sizeof big, 0);
    for (size_t i = 0; i < 2 * COUNT(sizes) * COUNT(kinds); i++) {
        size_t size = sizes[i / 2 % COUNT(sizes)];
        struct cg_coro *writer;

        ck_assert(test_connect(kinds[i / 2 / COUNT(sizes)], &a, &b));
        writer = test_start(writes_and_closes, &(struct last_words){a, size});
        if (i % 2)
            IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
        ck_assert_uint_eq(drain(b), size);
        IS(test_end(writer), 0);
        cg_sock_close(b);
    }
    return 0;
}

static void reset(struct cg_sock *sock)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    IS(cg_sock_setopt(sock, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    cg_sock_close(sock);
}

static ssize_t reads_until_reset(void *arg)
{
    char buf[16];
    ssize_t n;

    do
        n = cg_yield(cg_read(arg, buf, sizeof buf));
    while (n > 0);
    return n;
}

/* A reset completes a waiting read with -ECONNRESET. */
static void reset_in_read(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *reader = test_start(reads_until_reset, b);

    test_until_waiting(reader);
    reset(a);
    IS(test_end(reader), -ECONNRESET);
    cg_sock_close(b);
}

static ssize_t writes_until_error(void *arg)
{
    size_t moved = 0;
    ssize_t n;

    do
        n = cg_yield(cg_writeall(arg, big, sizeof big, .moved = &moved));
    while (n > 0);
    ck_assert_uint_lt(moved, sizeof big);
    return n;
}

/* A reset during a write completes it with an error, and every further write too. There is
 * no signal and no endless wait. */
static void reset_in_write(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *writer = test_start(writes_until_error, a);
    char buf[100];
    ssize_t n;

    test_until_waiting(writer);
    IS(cg_yield(cg_readall(b, buf, sizeof buf)), sizeof buf);
    reset(b);
    n = test_end(writer);
    if (n != -EPIPE)
        IS(n, -ECONNRESET);
    n = cg_yield(cg_writeall(a, "x", 1));
    if (n != -ECONNRESET)
        IS(n, -EPIPE);
    cg_sock_close(a);
}

/* Writes to a peer that has closed fail sooner or later. */
static void write_to_closed(struct cg_sock *a, struct cg_sock *b)
{
    ssize_t n;

    cg_sock_close(b);
    do
        n = cg_yield(cg_write(a, big, 1000));
    while (n >= 0);
    if (n != -ECONNRESET)
        IS(n, -EPIPE);
    cg_sock_close(a);
}

/* The end of one direction does not affect an op in the other direction. */
static void end_of_one_direction(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *reader;

    test_fill(big, sizeof big, 0);
    IS(cg_yield(cg_shutdown(b, SHUT_WR)), 0);
    IS((ssize_t)drain(a), 0);
    reader = test_start(reads_much, b);
    IS(cg_yield(cg_writeall(a, big, sizeof big)), sizeof big);
    IS(test_end(reader), sizeof big);
    cg_sock_close(a);
    cg_sock_close(b);
}

/* Weak timeouts */

static ssize_t trickles(void *arg)
{
    for (size_t i = 0; i < 30; i++) {
        IS(cg_yield(cg_sleep(6 * CG_MILLISECOND)), 0);
        OK(cg_yield(cg_writeall(arg, big, 1)));
    }
    return 0;
}

/* A weak timeout counts from the last byte that came, one that is not weak from the
 * start. */
static void weak_timeout(struct cg_sock *a, struct cg_sock *b)
{
    struct cg_coro *writer = test_start(trickles, a);
    char buf[30];
    size_t moved;

    IS(cg_yield(cg_readall(b, buf, 20, .timeout = 10 * CG_MILLISECOND, .weak_timeout = true)),
       20);
    IS(cg_yield(cg_readall(b, buf, 10, .timeout = 20 * CG_MILLISECOND, .moved = &moved)),
       -ETIMEDOUT);
    ck_assert_uint_ge(moved, 2);
    ck_assert_uint_le(moved, 4);
    IS(cg_yield(cg_readall(b, buf, 10 - moved)), (ssize_t)(10 - moved));
    IS(cg_yield(cg_readall(b, buf, 1, .timeout = 10 * CG_MILLISECOND, .weak_timeout = true,
                           .moved = &moved)),
       -ETIMEDOUT);
    ck_assert_uint_eq(moved, 0);
    IS(test_end(writer), 0);
    cg_sock_close(a);
    cg_sock_close(b);
}

static const struct test_case cases[] = {
    LINK(read_and_write),
    LINK(readall_ends_early),
    LINK(lines),
    LINK(line_too_long),
    LINK(line_beyond_limit),
    LINK(borrow),
    LINK(close_while_lent),
    LINK(full_duplex),
    LINK(writeall_waits),
    LINK(writev_many_parts),
    LINK(sendfile_whole_and_part, .over = OVER_NET),
    LINK(half_close),
    CORO(data_and_end_at_once),
    LINK(reset_in_read, .over = OVER_TCP | OVER_TCP6),
    LINK(reset_in_write, .over = OVER_TCP | OVER_TCP6),
    LINK(write_to_closed),
    LINK(end_of_one_direction),
    LINK(weak_timeout, .where = ON_SIM),
};

int main(void)
{
    return test_main("stream", cases, COUNT(cases));
}
