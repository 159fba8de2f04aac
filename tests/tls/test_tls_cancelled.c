/* SPDX-License-Identifier: MIT */
/* No encrypted byte is lost or comes twice, whichever op is cancelled or lacks memory. */
#include "config.h"

#include "tests/sockets/sock_cases.h"
#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_link.h"
#include "tests/tls/tls_main.h"

#include <errno.h>
#include <sys/socket.h>

static char big[300 * 1024], back[sizeof big];

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

static int left = -1; /* chunks until none can be had; -1: they can */
static bool lasting;  /* not just one is lacking */

static bool lacks(struct cg_reactor *reactor, enum cg_lack what)
{
    (void)reactor;
    if (what != CG_LACKS_MEMORY || left < 0)
        return false;
    if (left > 0 || !lasting)
        left--;
    return lasting ? left == 0 : left < 0;
}

/* Writes while chunk number `failure` cannot be had. Returns false if there were not so many. */
static bool lacking_round(int failure)
{
    enum { SIZE = 40000 };
    struct cg_sock *a, *b;
    size_t moved = 0;
    ssize_t n;
    bool failed;

    OK(cg_sock_pair(cg_sched_self(), &a, &b));
    secure(&a, &b);
    test_fill(big, SIZE, 0);
    left = failure;
    n = cg_yield(cg_writeall(a, big, SIZE, .moved = &moved));
    failed = left < 0 || (lasting && left == 0);
    if (failed && lasting && n >= 0)
        IS(cg_yield(cg_read(a, back, 1)), -ENOMEM); /* it has to send, too */
    left = -1;
    ck_assert(n == (ssize_t)moved || (failed && n == -ENOMEM));
    if (((struct cg__tls_conn *)cg_sock_state(a))->failure == 0) {
        test_fill(big, SIZE, moved);
        IS(cg_yield(cg_writeall(a, big, 10)), 10);
        IS(cg_yield(cg_shutdown(a, SHUT_WR)), 0);
        IS(cg_yield(cg_read_to_end(b, back, sizeof back)), (ssize_t)moved + 10);
        test_verify(back, moved + 10, 0);
    }
    close_both(a, b);
    return failed;
}

/* A write that lacks memory has written as many bytes as its count says. */
static ssize_t lacking(void *arg)
{
    struct cg_reactor *reactor = cg_sched_reactor(cg_sched_self());
    bool (*usual)(struct cg_reactor *, enum cg_lack) = reactor->lacks;

    (void)arg;
    reactor->lacks = lacks;
    configure();
    for (int i = 0; i < 2; i++) {
        int failure = 0;

        lasting = i > 0;
        while (lacking_round(failure))
            failure++;
        ck_assert_int_gt(failure, 5);
    }
    unconfigure();
    reactor->lacks = usual;
    return 0;
}

static const struct test_case cases[] = {
    LINK(short_writers, .over = OVER_PAIR | OVER_TCP),
    LINK(reader_sends, .over = OVER_PAIR | OVER_TCP),
    LINK(sock_raced, .above = secured, .over = OVER_PAIR | OVER_TCP),
    LINK(raced_both_ways, .over = OVER_PAIR | OVER_TCP),
    LINK(sock_weak, .above = secured, .where = ON_SIM),
    CORO(lacking, .where = ON_SIM),
};

int main(void)
{
    return tls_main("tls_cancelled", cases, COUNT(cases));
}
