/* SPDX-License-Identifier: MIT */
/* Calls of cg_splice that the kernel, seccomp or a limit refuses: the stream goes on by
 * copying, or ends with the error; no byte is lost. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Which call fails (counted from 0), how often, and with what. */
static struct refusal {
    int error;
    long first, times;
    long seen; /* all calls */
} splicing_in, splicing_out, opening, reading;

static int read_end = -1; /* of the last pipe */

static bool refused(struct refusal *refusal)
{
    long n = refusal->seen++;

    if (n < refusal->first || n >= refusal->first + refusal->times)
        return false;
    errno = refusal->error;
    return true;
}

ssize_t __real_splice(int from, off64_t *at, int to, off64_t *there, size_t n, unsigned flags);
ssize_t __wrap_splice(int from, off64_t *at, int to, off64_t *there, size_t n, unsigned flags);
int __real_pipe2(int *ends, int flags);
int __wrap_pipe2(int *ends, int flags);
ssize_t __real_read(int fd, void *buf, size_t size);
ssize_t __wrap_read(int fd, void *buf, size_t size);

ssize_t __wrap_splice(int from, off64_t *at, int to, off64_t *there, size_t n, unsigned flags)
{
    if (refused(from == read_end ? &splicing_out : &splicing_in))
        return -1;
    return __real_splice(from, at, to, there, n, flags);
}

int __wrap_pipe2(int *ends, int flags)
{
    int rc;

    if (refused(&opening))
        return -1;
    rc = __real_pipe2(ends, flags);
    read_end = ends[0];
    return rc;
}

ssize_t __wrap_read(int fd, void *buf, size_t size)
{
    if (fd == read_end && refused(&reading))
        return -1;
    return __real_read(fd, buf, size);
}

enum {
    LONG = 2 * 1024 * 1024 + 7,
    PIECE = 40 * 1000,
};

struct flow {
    struct cg_sock *source, *from, *to, *sink;
    size_t drawn;
};

static ssize_t pours(void *arg)
{
    struct flow *flow = arg;
    static char bytes[PIECE];

    for (size_t at = 0; at < LONG;) {
        size_t len = LONG - at < PIECE ? LONG - at : PIECE;
        ssize_t n;

        test_fill(bytes, len, at);
        if ((n = cg_yield(cg_write(flow->source, bytes, len))) < 0)
            return n;
        at += (size_t)n;
    }
    return cg_yield(cg_shutdown(flow->source, SHUT_WR));
}

static ssize_t draws(void *arg)
{
    struct flow *flow = arg;
    char buf[16 * 1024];
    ssize_t n;

    while ((n = cg_yield(cg_read(flow->sink, buf, sizeof buf))) > 0) {
        test_verify(buf, (size_t)n, flow->drawn);
        flow->drawn += (size_t)n;
    }
    return n;
}

/* Splices a long stream over TCP, and returns the result. The sink reads all that was
 * moved; what was not can be read from where it was, unless lost. */
static ssize_t carry(bool lost)
{
    static char rest[LONG];
    struct flow flow = {.drawn = 0};
    struct cg_coro *source, *sink;
    size_t moved = 0;
    ssize_t n;

    splicing_in.seen = splicing_out.seen = opening.seen = reading.seen = 0;
    OK(test_connect(OVER_TCP, &flow.from, &flow.source));
    OK(test_connect(OVER_TCP, &flow.to, &flow.sink));
    source = test_start(pours, &flow);
    sink = test_start(draws, &flow);
    n = cg_yield(cg_splice(flow.from, flow.to, SIZE_MAX, .moved = &moved));
    if (lost) {
        IS(cg_yield(cg_read(flow.from, rest, sizeof rest)), -reading.error);
    } else {
        IS(cg_yield(cg_readall(flow.from, rest, LONG - moved)), (ssize_t)(LONG - moved));
        test_verify(rest, LONG - moved, moved);
    }
    IS(cg_yield(cg_shutdown(flow.to, SHUT_WR)), 0);
    IS(test_end(sink), 0);
    IS((ssize_t)flow.drawn, (ssize_t)moved);
    cg_sock_close(flow.from);
    cg_sock_close(flow.source);
    test_end(source);
    cg_sock_close(flow.to);
    cg_sock_close(flow.sink);
    return n;
}

/* Without a refusal the calls are made. */
static ssize_t unrefused(void *arg)
{
    (void)arg;
    IS(carry(false), LONG);
    ck_assert_int_gt(opening.seen, 0);
    ck_assert_int_gt(splicing_in.seen, 1);
    ck_assert_int_gt(splicing_out.seen, 1);
    return 0;
}

/* A call that is missing, or does not take these descriptors, is made once; then the rest
 * is copied, also bytes that are in the pipe. One that was interrupted is repeated. */
static ssize_t missing(void *arg)
{
    static const int errors[] = {ENOSYS, EPERM, EINVAL, ENOMEM, EINTR};

    (void)arg;
    for (size_t i = 0; i < COUNT(errors); i++) {
        for (long first = 0; first < 3; first++) {
            splicing_in = (struct refusal){errors[i], first, 1, 0};
            IS(carry(false), LONG);
            splicing_in.times = 0;
            splicing_out = (struct refusal){errors[i], first, 1, 0};
            IS(carry(false), LONG);
            splicing_out.times = 0;
        }
    }
    return 0;
}

/* Without descriptors everything is copied. */
static ssize_t no_pipes(void *arg)
{
    (void)arg;
    opening = (struct refusal){EMFILE, 0, 1000, 0};
    IS(carry(false), LONG);
    ck_assert_int_eq(splicing_in.seen, 0);
    ck_assert_int_gt(opening.seen, 1);
    opening.times = 0;
    return 0;
}

/* An error of the writer leaves the bytes of the pipe unread. */
static ssize_t broken(void *arg)
{
    (void)arg;
    splicing_out = (struct refusal){EPIPE, 1, 1, 0};
    IS(carry(false), -EPIPE);
    reading = (struct refusal){EINTR, 0, 1, 0};
    IS(carry(false), -EPIPE);
    ck_assert_int_gt(reading.seen, 1);
    splicing_out = (struct refusal){ETIMEDOUT, 1, 1, 0}; /* of the connection, not ours */
    IS(carry(false), -ETIMEDOUT);
    splicing_out.times = 0;
    return 0;
}

/* Bytes that cannot be taken out of the pipe do not get lost silently: who reads on gets the
 * error. */
static ssize_t stuck(void *arg)
{
    (void)arg;
    splicing_out = (struct refusal){EPIPE, 1, 1, 0};
    reading = (struct refusal){EIO, 0, 1, 0};
    IS(carry(true), -EPIPE);
    splicing_out.times = reading.times = 0;
    return 0;
}

static const struct test_case cases[] = {
    CORO(unrefused, .where = ON_KERNEL), CORO(missing, .where = ON_KERNEL),
    CORO(no_pipes, .where = ON_KERNEL),  CORO(broken, .where = ON_KERNEL),
    CORO(stuck, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("refused_splice", cases, COUNT(cases));
}
