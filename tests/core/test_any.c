/* SPDX-License-Identifier: MIT */
/* cg_any and cg_all, in virtual time: which branch wins, what the losers complete with,
 * and that a traceless loser has consumed nothing. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MS CG_MILLISECOND

static int64_t now(void)
{
    return cg_sched_now(cg_sched_self());
}

static ssize_t sleeps(void *arg)
{
    return cg_yield(cg_sleep(*(int64_t *)arg));
}

static ssize_t sleeps_and_says(void *arg)
{
    ssize_t answer = cg_yield(cg_sleep(*(int64_t *)arg));

    return answer < 0 ? answer : 123;
}

/* The first branch to complete wins, whatever its place in the list. The losers complete
 * with -ECANCELED at that moment. */
static ssize_t first_wins(void *arg)
{
    struct cg_op *a = cg_sleep(30 * MS), *b = cg_sleep(10 * MS), *c = cg_sleep(20 * MS);
    int64_t start = now();

    (void)arg;
    IS(cg_yield(cg_any((a, b, c))), 1);
    ck_assert_int_ge(now(), start + 10 * MS);
    ck_assert_int_lt(now(), start + 11 * MS);
    IS(cg_op_result(a), -ECANCELED);
    IS(cg_op_result(b), 0);
    IS(cg_op_result(c), -ECANCELED);
    IS(cg_yield(cg_any((a, c, b))), 2); /* all can be yielded again */
    IS(cg_yield(cg_any((b))), 0);
    return 0;
}

/* If several branches can complete at once, the first in the list wins, without a wait. */
static ssize_t immediate_winner(void *arg)
{
    int64_t length = 0, start;
    struct cg_coro *done = test_start(sleeps, &length);
    struct cg_op *never = cg_wait_signal("never", NULL), *sleep = cg_sleep(CG_HOUR);
    struct cg_op *join = cg_join(done), *again = cg_join(done);

    (void)arg;
    IS(cg_yield(join), 0);
    start = now();
    IS(cg_yield(cg_any((never, join, again, sleep))), 1);
    IS(cg_op_result(never), -ECANCELED);
    IS(cg_op_result(join), 0);
    IS(cg_op_result(again), -ECANCELED);
    IS(cg_op_result(sleep), -ECANCELED);
    IS(cg_yield(cg_any((again, join))), 0);
    ck_assert_int_eq(now(), start);
    cg_coro_unref(done);
    return 0;
}

/* An array whose length is known at run time works like a list. */
static ssize_t arrays(void *arg)
{
    struct cg_op *ops[3] = {cg_sleep(30 * MS), cg_sleep(10 * MS), cg_sleep(20 * MS)};
    size_t n = 3;

    (void)arg;
    IS(cg_yield(cg_any_of(ops, n)), 1);
    IS(cg_op_result(ops[0]), -ECANCELED);
    IS(cg_op_result(ops[1]), 0);
    IS(cg_op_result(ops[2]), -ECANCELED);
    IS(cg_yield(cg_any_of(ops, n - 2)), 0);
    IS(cg_yield(cg_all_of(ops, n, .timeout = 15 * MS)), -ETIMEDOUT);
    IS(cg_yield(cg_all_of(ops, n)), 0);
    IS(cg_op_result(ops[0]), 0);
    IS(cg_yield(cg_all_of(ops, 0)), 0);
    return 0;
}

/* An invalid array is refused, and none of its ops begins. */
static ssize_t bad_arrays(void *arg)
{
    static struct cg_op *many[CG_ANY_LIMIT + 1];
    struct cg_op *ops[2] = {cg_sleep(CG_HOUR), NULL};
    int64_t start = now();

    (void)arg;
    IS(cg_yield(cg_any_of(ops, 0)), -EINVAL);
    IS(cg_yield(cg_any_of(NULL, 0)), -EINVAL);
    IS(cg_yield(cg_any_of(ops, 2)), -EINVAL);
    IS(cg_op_result(ops[0]), -ECANCELED);
    IS(cg_yield(cg_all_of(ops, 2)), -EINVAL);
    for (size_t i = 0; i <= CG_ANY_LIMIT; i++)
        many[i] = ops[0];
    IS(cg_yield(cg_all_of(many, CG_ANY_LIMIT + 1)), -EINVAL);
    ck_assert_int_eq(now(), start);
    return 0;
}

/* A branch that fails has completed, and wins. */
static ssize_t failure_wins(void *arg)
{
    struct cg_op *join = cg_join(cg_coro_self()),
                 *out = cg_sleep(CG_HOUR, .timeout = MS);
    struct cg_op *never = cg_suspend();

    (void)arg;
    IS(cg_yield(cg_any((never, join))), 1);
    IS(cg_op_result(join), -EDEADLK);
    IS(cg_yield(cg_any((never, out))), 1);
    IS(cg_op_result(out), -ETIMEDOUT);
    IS(cg_op_result(never), -ECANCELED);
    return 0;
}

/* The timeout of a race ends all branches and is the race's result. */
static ssize_t any_times_out(void *arg)
{
    struct cg_op *a = cg_sleep(CG_HOUR), *b = cg_wait_signal("x", NULL);
    int64_t start = now();

    (void)arg;
    IS(cg_yield(cg_any((a, b), .timeout = MS)), -ETIMEDOUT);
    ck_assert_int_ge(now(), start + MS);
    ck_assert_int_lt(now(), start + 2 * MS);
    IS(cg_op_result(a), -ECANCELED);
    IS(cg_op_result(b), -ECANCELED);
    IS(cg_yield(cg_any((a, b), .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(cg_any((a, b), .deadline = now() + MS)), -ETIMEDOUT);
    IS(cg_yield(cg_signal("x", NULL)), 0); /* nothing waits any more */
    return 0;
}

static ssize_t races_forever(void *arg)
{
    struct cg_op *a = cg_wait_signal("x", NULL), *b = cg_suspend();

    (void)arg;
    IS(cg_yield(cg_any((a, b))), -ECANCELED);
    IS(cg_op_result(a), -ECANCELED);
    IS(cg_op_result(b), -ECANCELED);
    IS(cg_yield(cg_any((a, b))), -ECANCELED);
    IS(cg_yield(cg_all((a, b))), -ECANCELED);
    return 0;
}

/* A cancel reaches all branches. */
static ssize_t any_is_cancelled(void *arg)
{
    struct cg_coro *coro = test_start(races_forever, NULL);

    (void)arg;
    test_until_waiting(coro);
    IS(cg_coro_cancel(coro), 0);
    IS(test_end(coro), 0);
    IS(cg_yield(cg_signal("x", NULL)), 0);
    return 0;
}

/* Each compound branch runs in its own coroutine. */
static ssize_t compound_branches(void *arg)
{
    int64_t quick = MS, slow = CG_HOUR, start = now();
    struct cg_op *a = cg_call(sleeps, &slow), *b = cg_call(sleeps_and_says, &quick);
    struct cg_op *c = cg_sleep(CG_SECOND);

    (void)arg;
    IS(cg_yield(cg_any((a, b, c))), 1);
    IS(cg_op_result(a), -ECANCELED);
    IS(cg_op_result(b), 123);
    IS(cg_op_result(c), -ECANCELED);
    ck_assert_int_lt(now(), start + 2 * MS);
    IS(cg_yield(cg_any((a, c))), 1);
    IS(cg_yield(cg_any((a, cg_call(sleeps, &slow, .timeout = MS)))), 1);
    IS(cg_yield(cg_any((a, cg_call(sleeps, &slow)), .timeout = MS)), -ETIMEDOUT);
    return 0;
}

static ssize_t cleans_up_slowly(void *arg)
{
    bool *clean = arg;

    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    IS(cg_yield(cg_sleep(CG_SECOND, .shield = true)), 0);
    *clean = true;
    return 1;
}

/* A race completes only when its losers have ended, including their clean-up. */
static ssize_t waits_for_losers(void *arg)
{
    bool clean = false;
    int64_t start = now();
    struct cg_op *loser = cg_call(cleans_up_slowly, &clean);

    (void)arg;
    IS(cg_yield(cg_any((loser, cg_sleep(MS)))), 1);
    ck_assert(clean);
    ck_assert_int_ge(now(), start + CG_SECOND + MS);
    IS(cg_op_result(loser), -ECANCELED);
    return 0;
}

/* cg_all completes when the last branch has completed, and each branch has its own
 * result. */
static ssize_t all_wait(void *arg)
{
    int64_t length = 5 * MS, start = now();
    struct cg_op *a = cg_sleep(30 * MS), *b = cg_join(cg_coro_self());
    struct cg_op *c = cg_call(sleeps_and_says, &length);
    struct cg_op *d = cg_wait_signal("x", NULL, .timeout = MS);

    (void)arg;
    IS(cg_yield(cg_all((a, b, c, d))), 0);
    ck_assert_int_ge(now(), start + 30 * MS);
    ck_assert_int_lt(now(), start + 31 * MS);
    IS(cg_op_result(a), 0);
    IS(cg_op_result(b), -EDEADLK);
    IS(cg_op_result(c), 123);
    IS(cg_op_result(d), -ETIMEDOUT);
    IS(cg_yield(cg_all((b, d), .timeout = 2 * MS)), 0);
    return 0;
}

/* The timeout of cg_all cancels the branches that have not completed; the others keep
 * their results. */
static ssize_t all_time_out(void *arg)
{
    struct cg_op *a = cg_sleep(MS), *b = cg_sleep(CG_HOUR);

    (void)arg;
    IS(cg_yield(cg_all((a, b), .timeout = 10 * MS)), -ETIMEDOUT);
    IS(cg_op_result(a), 0);
    IS(cg_op_result(b), -ECANCELED);
    return 0;
}

/* Races within races, of all kinds. */
static ssize_t nested(void *arg)
{
    struct cg_op *a = cg_sleep(10 * MS), *b = cg_sleep(20 * MS), *c = cg_sleep(30 * MS);
    struct cg_op *d = cg_sleep(5 * MS);
    struct cg_op *both = cg_all((a, b)), *either = cg_any((c, d));
    int64_t start = now();

    (void)arg;
    IS(cg_yield(cg_all((both, either))), 0);
    ck_assert_int_ge(now(), start + 20 * MS);
    ck_assert_int_lt(now(), start + 21 * MS);
    IS(cg_op_result(either), 1);
    IS(cg_op_result(c), -ECANCELED);
    IS(cg_yield(cg_any((both, either))), 1);
    IS(cg_op_result(both), -ECANCELED);
    IS(cg_op_result(a), -ECANCELED);
    IS(cg_op_result(b), -ECANCELED);
    IS(cg_op_result(d), 0);
    IS(cg_yield(cg_any((cg_any((a, b)), cg_any((c, cg_suspend()))))), 0);
    IS(cg_yield(cg_any((cg_all((a, cg_suspend())), b), .timeout = 15 * MS)), -ETIMEDOUT);
    return 0;
}

static ssize_t signals_after(void *arg)
{
    IS(cg_yield(cg_sleep_until(*(int64_t *)arg)), 0);
    return cg_yield(cg_signal("go", 1));
}

/* A signal neither counts nor wakes a wait that has lost its race. */
static ssize_t lost_wait(void *arg)
{
    struct cg_op *wait = cg_wait_signal("go", NULL);
    int64_t moment = now() + 2 * MS;
    struct cg_coro *coro = test_start(signals_after, &moment);

    (void)arg;
    IS(cg_yield(cg_any((wait, cg_sleep(MS)))), 1);
    IS(test_end(coro), 0);
    moment = now() + MS;
    coro = test_start(signals_after, &moment);
    IS(cg_yield(cg_any((wait, cg_sleep(2 * MS)))), 0);
    IS(test_end(coro), 1);
    return 0;
}

enum { WRITES = 150 };

struct writer {
    struct cg_sock *sock;
    int64_t length;
};

static ssize_t writes_bytes(void *arg)
{
    struct writer *w = arg;
    char byte;

    for (size_t i = 0; i < WRITES; i++) {
        IS(cg_yield(cg_sleep(w->length)), 0);
        test_fill(&byte, 1, i);
        IS(cg_yield(cg_write(w->sock, &byte, 1)), 1);
    }
    cg_sock_close(w->sock);
    return 0;
}

/* Reads race timers that fire in the turns in which the bytes arrive. No byte is lost or
 * read twice. */
static ssize_t read_against_sleep(void *arg)
{
    struct cg_sock *a, *b;
    char buf[16];
    size_t at = 0, lost = 0;
    struct cg_op *read, *sleep = cg_sleep(MS / 4);
    struct cg_coro *coro;

    (void)arg;
    test_tcp(&a, &b);
    coro = test_start(writes_bytes, &(struct writer){b, MS / 2});
    read = cg_read(a, buf, sizeof buf);
    for (;;) {
        ssize_t winner = OK(cg_yield(cg_any((read, sleep))));

        if (winner == 1) {
            IS(cg_op_result(read), -ECANCELED);
            lost++;
            continue;
        }
        IS(cg_op_result(sleep), -ECANCELED);
        if (OK(cg_op_result(read)) == 0)
            break;
        test_verify(buf, (size_t)cg_op_result(read), at);
        at += (size_t)cg_op_result(read);
    }
    ck_assert_uint_eq(at, WRITES);
    ck_assert_uint_ge(lost, WRITES / 2);
    cg_sock_close(a);
    return test_end(coro);
}

/* Two reads of one socket cannot be raced: the second is refused, and wins. */
static ssize_t two_reads(void *arg)
{
    struct cg_sock *a, *b;
    char buf[4];
    struct cg_op *one, *two;

    (void)arg;
    OK(cg_sock_pair(cg_sched_self(), &a, &b));
    one = cg_read(a, buf, sizeof buf);
    two = cg_read(a, buf, sizeof buf);
    IS(cg_yield(cg_any((one, two))), 1);
    IS(cg_op_result(two), -EBUSY);
    IS(cg_op_result(one), -ECANCELED);
    IS(cg_yield(cg_write(b, "x", 1)), 1);
    IS(cg_yield(one), 1);
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

/* A race between reads of two sockets. */
static ssize_t two_sockets(void *arg)
{
    struct cg_sock *a, *b, *c, *d;
    char one[4], two[4];
    struct cg_op *read_a, *read_c;

    (void)arg;
    test_tcp(&a, &b);
    OK(cg_sock_pair(cg_sched_self(), &c, &d));
    read_a = cg_read(a, one, sizeof one);
    read_c = cg_read(c, two, sizeof two);
    IS(cg_yield(cg_write(d, "cc", 2)), 2);
    IS(cg_yield(cg_any((read_a, read_c))), 1);
    IS(cg_yield(cg_write(b, "aaa", 3)), 3);
    IS(cg_yield(cg_any((read_a, read_c))), 0);
    IS(cg_op_result(read_a), 3);
    cg_sock_close(d);
    IS(cg_yield(cg_any((read_a, read_c))), 1);
    IS(cg_op_result(read_c), 0);
    cg_sock_close(a);
    cg_sock_close(b);
    cg_sock_close(c);
    return 0;
}

/* Both ends of a pair in one race. The writer, which continues in a later turn, completes
 * the reader; that cancels the writer re-entrantly, from within its own request. The bytes
 * that it has moved are counted. */
static ssize_t both_ends(void *arg)
{
    static const struct {
        size_t read, written;
    } sizes[] = {{150000, 300000}, {220000, 230000}, {65536, 65536}};
    static char from[300000], to[300000];

    (void)arg;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t got, put;
        struct cg_sock *a, *b;
        struct cg_op *read, *write;

        OK(cg_sock_pair(cg_sched_self(), &a, &b));
        read = cg_readall(a, to, sizes[i].read, .moved = &got);
        write = cg_writeall(b, from, sizes[i].written, .moved = &put);
        IS(cg_yield(cg_any((read, write))), 0);
        IS(cg_op_result(read), (ssize_t)sizes[i].read);
        ck_assert(cg_op_result(write) == -ECANCELED || put == sizes[i].written);
        ck_assert_uint_ge(put, got);
        cg_sock_close(a);
        cg_sock_close(b);
    }
    return 0;
}

static const struct test_case cases[] = {
    CORO(both_ends),
    CORO(first_wins, .where = ON_SIM),
    CORO(immediate_winner, .where = ON_SIM),
    CORO(arrays, .where = ON_SIM),
    CORO(bad_arrays, .where = ON_SIM),
    CORO(failure_wins, .where = ON_SIM),
    CORO(any_times_out, .where = ON_SIM),
    CORO(any_is_cancelled, .where = ON_SIM),
    CORO(compound_branches, .where = ON_SIM),
    CORO(waits_for_losers, .where = ON_SIM),
    CORO(all_wait, .where = ON_SIM),
    CORO(all_time_out, .where = ON_SIM),
    CORO(nested, .where = ON_SIM),
    CORO(lost_wait, .where = ON_SIM),
    CORO(read_against_sleep),
    CORO(two_reads, .where = ON_SIM),
    CORO(two_sockets),
};

int main(void)
{
    return test_main("any", cases, COUNT(cases));
}
