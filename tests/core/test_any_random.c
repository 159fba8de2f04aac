/* SPDX-License-Identifier: MIT */
/* Any two operations race at any moment, in virtual time: a traceless loser has consumed
 * nothing. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>

#define MS CG_MILLISECOND

static ssize_t sleeps_and_says(void *arg)
{
    ssize_t answer = cg_yield(cg_sleep(*(int64_t *)arg));

    return answer < 0 ? answer : 123;
}

struct world {
    struct cg_sock *sock, *peer;
    struct cg_coro *self;
    size_t sent, received, signalled;
    bool stop;
    uint64_t seed;
};

/* Makes things happen at random moments: a byte, a signal, an activation. */
static ssize_t stirs(void *arg)
{
    struct world *w = arg;
    char byte;

    while (!w->stop) {
        IS(cg_yield(cg_sleep(test_random(&w->seed) % 4 * MS)), 0);
        switch (test_random(&w->seed) % 3) {
        case 0:
            test_fill(&byte, 1, w->sent++);
            IS(cg_yield(cg_write(w->peer, &byte, 1)), 1);
            break;
        case 1:
            w->signalled += (size_t)OK(cg_yield(cg_signal("stir", 1)));
            break;
        default:
            cg_yield(cg_activate(w->self, .value = 5)); /* fails if one is kept already */
        }
    }
    return 0;
}

/* Two random ops race, hundreds of times. The loser completes with -ECANCELED, the winner
 * with the right result. In the end every byte that was sent was received, in order, and
 * every signal that was counted was received. */
static void race(struct world *w, size_t *signals)
{
    char buf[2];
    int64_t nap = MS;
    struct cg_op *all[] = {
        cg_read(w->sock, buf, sizeof buf),
        cg_wait_signal("stir", NULL),
        cg_suspend(),
        cg_sleep(test_random(&w->seed) % 4 * MS),
        cg_call(sleeps_and_says, &nap, .timeout = 2 * MS),
        cg_wait_signal("nobody", NULL, .timeout = test_random(&w->seed) % 3 * MS),
        cg_poll_sock(w->sock, CG_IN),
    };
    size_t i = test_random(&w->seed) % COUNT(all), j = test_random(&w->seed) % COUNT(all);
    bool readers = (i == 0 && j == 6) || (i == 6 && j == 0);
    struct cg_op *pair[] = {all[i], all[j]};
    ssize_t winner;

    if (i == j || readers)
        return;
    winner = cg_yield(cg_any((pair[0], pair[1], cg_sleep(50 * MS))));
    OK(winner);
    for (ssize_t k = 0; k < 2; k++)
        if (k != winner)
            IS(cg_op_result(pair[k]), -ECANCELED);
    if (winner == 2)
        return;
    if (pair[winner] == all[0]) {
        OK(cg_op_result(all[0]));
        test_verify(buf, (size_t)cg_op_result(all[0]), w->received);
        w->received += (size_t)cg_op_result(all[0]);
    } else if (pair[winner] == all[1]) {
        IS(cg_op_result(all[1]), 0);
        ++*signals;
    } else if (pair[winner] == all[2]) {
        IS(cg_op_result(all[2]), 5);
    } else if (pair[winner] == all[4]) {
        IS(cg_op_result(all[4]), 123);
    } else if (pair[winner] == all[6]) {
        ck_assert_int_ne(OK(cg_op_result(all[6])) & CG_IN, 0);
    }
}

static ssize_t races_with_seed(void *arg)
{
    struct world w = {.seed = *(uint64_t *)arg, .self = cg_coro_self()};
    struct cg_coro *stirrer;
    size_t signals = 0;
    char buf[64];
    ssize_t n;

    test_tcp(&w.sock, &w.peer);
    stirrer = test_start(stirs, &w);
    for (int i = 0; i < 200; i++)
        race(&w, &signals);
    w.stop = true;
    IS(test_end(stirrer), 0);
    cg_sock_close(w.peer);
    while ((n = OK(cg_yield(cg_read(w.sock, buf, sizeof buf)))) > 0) {
        test_verify(buf, (size_t)n, w.received);
        w.received += (size_t)n;
    }
    ck_assert_uint_eq(w.received, w.sent);
    ck_assert_uint_eq(signals, w.signalled);
    cg_sock_close(w.sock);
    return 0;
}

static void random_races(void)
{
    for (uint64_t seed = 1; seed <= 25; seed++)
        IS(test_run(races_with_seed, &seed), 0);
}

static const struct test_case cases[] = {
    PLAIN(random_races, .where = ON_SIM),
};

int main(void)
{
    return test_main("any random", cases, COUNT(cases));
}
