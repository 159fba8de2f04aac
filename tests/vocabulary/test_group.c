/* SPDX-License-Identifier: MIT */
/* Groups: nothing outlives them; failures, deadlines and cancellation reach every
 * coroutine, after the grace period and not behind a shield; the answers are collected. */
#include "config.h"

#include "tests/support/notes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MS CG_MILLISECOND

static int64_t clock_now(void)
{
    return cg_sched_now(cg_sched_self());
}

struct member {
    int64_t length;
    ssize_t answer;   /* after that length */
    int64_t cleanup;  /* behind a shield, if it is cancelled before */
    const char *mark; /* noted at the end */
    bool canceled;    /* out */
};

static ssize_t works(void *arg)
{
    struct member *m = arg;
    ssize_t rc = cg_yield(cg_sleep(m->length));

    if (rc < 0) {
        IS(rc, -ECANCELED);
        m->canceled = true;
        if (m->cleanup)
            IS(cg_yield(cg_sleep(m->cleanup, .shield = true)), 0);
    }
    if (m->mark)
        note(m->mark);
    return rc < 0 ? rc : m->answer;
}

/* A group waits for all its coroutines, also for those that they add themselves, and
 * collects what they return. */
static ssize_t adds_one(void *arg)
{
    static struct member late = {2 * MS, 0, 0, "2", false};

    ck_assert_ptr_eq(cg_group_self(), arg);
    IS(cg_yield(cg_add_to_group((struct cg_group *)arg, works, &late)), 0);
    note("1");
    return 9;
}

static ssize_t collects(void *arg)
{
    struct cg_group group;
    struct member slow = {30 * MS, 7, 0, "3", false};
    ssize_t a = -1, b = -1;
    struct cg_coro *ref;

    (void)arg;
    ck_assert_ptr_null(cg_group_self());
    cg_group_open(&group);
    IS(cg_yield(cg_add_to_group(&group, works, &slow, .returned = &a, .name = "slow")),
       0);
    IS(cg_yield(cg_add_to_group(&group, adds_one, &group, .returned = &b, .coro = &ref)),
       0);
    IS((ssize_t)cg_group_count(&group), 3);
    IS(cg_yield(cg_wait_group(&group)), 0);
    ck_assert_str_eq(noted, "123");
    IS(a, 7);
    IS(b, 9);
    IS(cg_coro_result(ref), 9);
    cg_coro_unref(ref);
    IS(cg_yield(cg_wait_group(&group)), 0); /* closed: the same answer */
    IS(cg_yield(cg_add_to_group(&group, works, &slow)), -EINVAL);
    cg_group_cancel(&group); /* too late: no effect */
    return 0;
}

/* Empty groups, nested and one after the other. */
static ssize_t nests(void *arg)
{
    struct cg_group outer, inner;

    (void)arg;
    cg_group_open(&outer);
    for (int i = 0; i < 3; i++) {
        cg_group_open(&inner);
        IS(cg_yield(cg_wait_group(&inner)), 0);
    }
    IS(cg_yield(cg_wait_group(&outer)), 0);
    IS(cg_yield(cg_pass()), 0);
    return 0;
}

/* The first failure cancels the others and what the owner waits for, and is the answer. */
static ssize_t failure(void *arg)
{
    struct cg_group group;
    struct member bad = {MS, -EIO, 0, "b", false}, worse = {MS, -EPROTO, 0, "w", false};
    struct member other = {CG_HOUR, 0, 2 * MS, "o", false};
    ssize_t answer = 0;

    (void)arg;
    cg_group_open(&group);
    IS(cg_yield(cg_add_to_group(&group, works, &other, .returned = &answer)), 0);
    IS(cg_yield(cg_add_to_group(&group, works, &bad)), 0);
    IS(cg_yield(cg_add_to_group(&group, works, &worse)), 0);
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    IS(cg_group_start(&group, works, &bad, NULL, .name = "late"), -ECANCELED);
    IS(cg_yield(cg_wait_group(&group)), -EIO);
    ck_assert(other.canceled);
    IS(answer, -ECANCELED);
    ck_assert_str_eq(noted + strlen(noted) - 1, "o");
    IS(cg_yield(cg_sleep(MS)), 0); /* outside the group nothing is cancelled */
    return 0;
}

/* With .keep_going a failure is the result, but cancels nothing. */
static ssize_t keeps_going(void *arg)
{
    struct cg_group group;
    struct member bad = {MS, -EIO, 0, NULL, false}, good = {3 * MS, 4, 0, NULL, false};
    ssize_t answer = 0;

    (void)arg;
    cg_group_open(&group, .keep_going = true);
    IS(cg_yield(cg_add_to_group(&group, works, &bad)), 0);
    IS(cg_yield(cg_add_to_group(&group, works, &good, .returned = &answer)), 0);
    IS(cg_yield(cg_sleep(2 * MS)), 0);
    IS(cg_yield(cg_wait_group(&group)), -EIO);
    IS(answer, 4);
    return 0;
}

/* A member that is cancelled alone does not count as a failure. */
static ssize_t one_canceled(void *arg)
{
    struct cg_group group;
    struct member a = {CG_HOUR, 0, 0, NULL, false}, b = {2 * MS, 0, 0, NULL, false};
    struct cg_coro *coro;

    (void)arg;
    cg_group_open(&group);
    IS(cg_yield(cg_add_to_group(&group, works, &a, .coro = &coro)), 0);
    IS(cg_yield(cg_add_to_group(&group, works, &b)), 0);
    IS(cg_yield(cg_cancel(coro)), 0);
    cg_coro_unref(coro);
    IS(cg_yield(cg_wait_group(&group)), 0);
    ck_assert(a.canceled && !b.canceled);
    return 0;
}

/* The deadline of a group applies to all members; the wait still waits for their
 * clean-up. */
static ssize_t deadline(void *arg)
{
    struct cg_group group;
    struct member a = {CG_HOUR, 0, 2 * MS, NULL, false};
    int64_t begin = clock_now();

    (void)arg;
    cg_group_open(&group, .timeout = 3 * MS);
    IS(cg_yield(cg_add_to_group(&group, works, &a)), 0);
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    IS(cg_yield(cg_wait_group(&group)), -ETIMEDOUT);
    IS(clock_now() - begin, 5 * MS);
    begin = clock_now();
    cg_group_open(&group, .timeout = CG_SECOND, .deadline = begin + 2 * MS);
    IS(cg_yield(cg_add_to_group(&group, works, &a)), 0);
    IS(cg_yield(cg_wait_group(&group)), -ETIMEDOUT);
    IS(clock_now() - begin, 4 * MS);
    cg_group_open(&group, .deadline = 1); /* has passed already */
    IS(cg_group_start_with(&group, works, &a, NULL, NULL), -ECANCELED);
    IS(cg_yield(cg_wait_group(&group)), -ETIMEDOUT);
    cg_group_open(&group, .timeout = -5); /* what is left of a time that is over */
    IS(cg_group_start_with(&group, works, &a, NULL, NULL), -ECANCELED);
    IS(cg_yield(cg_wait_group(&group)), -ETIMEDOUT);
    return 0;
}

/* The wait's own timeout cancels the group, too, and does not answer before its end. */
static ssize_t wait_times_out(void *arg)
{
    struct cg_group group;
    struct member a = {CG_HOUR, 0, 2 * MS, NULL, false};
    int64_t begin = clock_now();

    (void)arg;
    cg_group_open(&group);
    IS(cg_yield(cg_add_to_group(&group, works, &a)), 0);
    IS(cg_yield(cg_wait_group(&group, .timeout = MS)), -ETIMEDOUT);
    IS(clock_now() - begin, 3 * MS);
    IS(cg_yield(cg_sleep(MS)), 0);
    return 0;
}

/* The wait in a race: when the race is over, the group is closed. */
static ssize_t wait_races(void *arg)
{
    struct cg_group group;
    struct member a = {CG_HOUR, 0, 2 * MS, NULL, false}, b = {MS, 0, 0, NULL, false};
    struct cg_op *wait = cg_wait_group(&group);
    int64_t begin = clock_now();

    (void)arg;
    cg_group_open(&group);
    IS(cg_yield(cg_add_to_group(&group, works, &a)), 0);
    IS(cg_yield(cg_any((cg_sleep(MS), wait))), 0);
    IS(clock_now() - begin, 3 * MS);
    IS(cg_op_result(wait), -ECANCELED);
    cg_group_open(&group);
    IS(cg_yield(cg_add_to_group(&group, works, &b)), 0);
    IS(cg_yield(cg_any((cg_sleep(2 * MS), wait))), 1);
    IS(cg_op_result(wait), 0);
    cg_group_open(&group);
    IS(cg_yield(cg_add_to_group(&group, works, &b)), 0);
    IS(cg_yield(cg_any((cg_sleep(0), wait))),
       0); /* the wait never began: the group must still be waited for */
    IS(cg_yield(wait), 0);
    IS(cg_yield(cg_sleep(MS)), 0);
    return 0;
}

/* In the grace period members continue, and may end normally; after it they are cancelled.
 * The owner's waits end at once, and nothing can be added any more. */
static ssize_t grace(void *arg)
{
    struct cg_group group;
    struct member quick = {3 * MS, 1, 0, "q", false},
                  slow = {CG_HOUR, 0, 0, "s", false};
    int64_t begin = clock_now();

    (void)arg;
    cg_group_open(&group, .grace = 5 * MS);
    IS(cg_yield(cg_add_to_group(&group, works, &quick)), 0);
    IS(cg_yield(cg_add_to_group(&group, works, &slow)), 0);
    cg_group_cancel(&group);
    IS(cg_yield(cg_sleep(MS)), -ECANCELED);
    IS(cg_group_start_with(&group, works, &quick, NULL, NULL), -ECANCELED);
    IS(cg_yield(cg_wait_group(&group)), -ECANCELED);
    ck_assert(!quick.canceled && slow.canceled);
    ck_assert_str_eq(noted, "qs");
    IS(clock_now() - begin, 5 * MS);
    begin = clock_now();
    slow = (struct member){7 * MS, 0, 0, NULL, false};
    cg_group_open(&group, .grace = CG_NEVER, .timeout = MS);
    IS(cg_yield(cg_add_to_group(&group, works, &slow)), 0);
    IS(cg_yield(cg_wait_group(&group)), -ETIMEDOUT);
    IS(clock_now() - begin, 7 * MS);
    ck_assert(!slow.canceled);
    begin = clock_now();
    cg_group_open(&group, .grace = CG_HOUR); /* ends early when all members have ended */
    IS(cg_yield(cg_add_to_group(&group, works, &quick)), 0);
    cg_group_cancel(&group);
    IS(cg_yield(cg_wait_group(&group)), -ECANCELED);
    IS(clock_now() - begin, 3 * MS);
    return 0;
}

struct owner {
    struct cg_group_options options;
    struct member *member;
    bool busy; /* behind a shield while it is cancelled */
    ssize_t answer;
};

static ssize_t owns(void *arg)
{
    struct owner *o = arg;
    struct cg_group group;

    cg_group_open_with(&group, &o->options);
    IS(cg_yield(cg_add_to_group(&group, works, o->member)), 0);
    if (o->busy)
        IS(cg_yield(cg_sleep(4 * MS, .shield = true)), 0);
    o->answer = cg_yield(cg_wait_group(&group));
    IS(cg_yield(cg_pass()), -ECANCELED);
    return 0;
}

static void cancel_owner(struct owner *o)
{
    struct cg_coro *coro = test_start(owns, o);

    test_until_waiting(coro);
    OK(cg_yield(cg_sleep(MS)));
    IS(cg_yield(cg_cancel(coro)), 0);
    test_end(coro);
}

/* A cancellation of the owner cancels the members at once, also while the owner is inside
 * a shield; but not if the group is shielded. */
static ssize_t owner_canceled(void *arg)
{
    struct member a = {CG_HOUR, 0, MS, NULL, false};
    struct owner o = {.member = &a};
    int64_t begin = clock_now();

    (void)arg;
    cancel_owner(&o);
    ck_assert(a.canceled);
    IS(o.answer, -ECANCELED);
    IS(clock_now() - begin, 2 * MS);
    begin = clock_now();
    a = (struct member){CG_HOUR, 0, MS, "m", false};
    o.busy = true;
    cancel_owner(&o);
    ck_assert(a.canceled);
    IS(clock_now() - begin, 4 * MS);
    ck_assert_str_eq(noted, "m");
    a = (struct member){6 * MS, 0, 0, "n", false};
    o = (struct owner){.member = &a, .options = {.shield = true}};
    begin = clock_now();
    cancel_owner(&o);
    ck_assert(!a.canceled);
    IS(o.answer, 0);
    IS(clock_now() - begin, 6 * MS);
    a = (struct member){CG_HOUR, 0, 0, NULL, false};
    o = (struct owner){.member = &a, .options = {.shield = true, .timeout = 3 * MS}};
    begin = clock_now();
    cancel_owner(&o);
    IS(o.answer, -ETIMEDOUT);
    IS(clock_now() - begin, 3 * MS);
    return 0;
}

static ssize_t nested(void *arg)
{
    struct cg_group outer, inner;
    struct member *m = arg;

    cg_group_open(&outer);
    IS(cg_yield(cg_add_to_group(&outer, works, &m[0])), 0);
    cg_group_open(&inner, .grace = 2 * MS);
    IS(cg_yield(cg_add_to_group(&inner, works, &m[1])), 0);
    IS(cg_yield(cg_wait_group(&inner)), -ECANCELED);
    return cg_yield(cg_wait_group(&outer));
}

/* The deadline of a scope also cancels the groups inside it, each after its own grace
 * period. */
static ssize_t scopes(void *arg)
{
    struct member m[] = {{CG_HOUR, 0, 0, "o", false}, {CG_HOUR, 0, 0, "i", false}};
    int64_t begin = clock_now();

    (void)arg;
    IS(cg_yield(cg_call(nested, m, .timeout = MS)), -ETIMEDOUT);
    ck_assert_str_eq(noted, "oi");
    IS(clock_now() - begin, 3 * MS);
    IS(cg_yield(cg_any((cg_sleep(MS), cg_call(nested, m)))), 0);
    ck_assert_str_eq(noted, "oioi");
    return 0;
}

static ssize_t waits_for_anothers(void *arg)
{
    IS(cg_yield(cg_wait_group((struct cg_group *)arg)), -EPERM);
    return 0;
}

/* Only the owner can wait. If the owner is already cancelled, nothing can be added. */
static ssize_t misuse(void *arg)
{
    struct cg_group group;
    struct member a = {MS, 0, 0, NULL, false};
    struct cg_scope scope;

    (void)arg;
    cg_group_open(&group);
    IS(cg_yield(cg_add_to_group(&group, works, &a)), 0);
    test_end(test_start(waits_for_anothers, &group));
    IS(cg_yield(cg_add_to_group(&group, NULL, &a)), -EINVAL);
    IS(cg_yield(cg_wait_group(&group)), 0);
    cg_scope_open(&scope, CG_NEVER, false);
    cg_scope_cancel(&scope);
    cg_group_open(&group);
    IS(cg_group_start_with(&group, works, &a, NULL, NULL), -ECANCELED);
    IS(cg_yield(cg_wait_group(&group)), -ECANCELED);
    cg_scope_close(&scope);
    return 0;
}

static ssize_t fast(void *arg)
{
    struct member *m = arg;
    ssize_t rc = cg_yield(cg_sleep(m->length));

    ck_assert(rc == 0 || rc == -ECANCELED);
    m->canceled = true;
    return rc < 0 ? rc : m->answer;
}

/* At random: however the wait ends, every member has ended by then. */
static ssize_t storm(void *arg)
{
    static struct member members[100][6];
    uint64_t seed = 5;

    (void)arg;
    for (size_t i = 0; i < COUNT(members); i++) {
        struct cg_group group;
        struct cg_op *wait = cg_wait_group(&group);
        unsigned what = test_random(&seed) % 6;
        ssize_t rc = 0;

        cg_group_open(&group, .timeout = test_random(&seed) % 4 ? 0 : 3 * MS,
                      .grace = test_random(&seed) % 3 * MS);
        for (size_t k = 0; k < COUNT(members[0]); k++) {
            struct member *m = &members[i][k];

            m->length = test_random(&seed) % (5 * MS);
            m->answer = test_random(&seed) % 8 ? 0 : -EIO;
            rc = cg_group_start_with(&group, fast, m, NULL, NULL);
            ck_assert(rc == 0 || rc == -ECANCELED);
            if (rc < 0)
                m->canceled = true;
            if (what == 0 && k == 3)
                cg_group_cancel(&group);
        }
        switch (what) {
        case 1:
            rc = cg_yield(cg_any((cg_sleep(2 * MS), wait)));
            if (cg_group_count(&group))
                cg_yield(wait);
            break;
        case 2:
            cg_yield(cg_wait_group(&group, .timeout = 2 * MS));
            break;
        case 3:
            cg_yield(cg_sleep(MS));
            cg_yield(wait);
            break;
        default:
            cg_yield(wait);
        }
        for (size_t k = 0; k < COUNT(members[0]); k++)
            ck_assert(members[i][k].canceled);
        IS(cg_yield(cg_pass()), 0);
    }
    return 0;
}

enum { DEPTH = 2000 };

static size_t deepest, ended;

static ssize_t goes_deeper(void *arg)
{
    size_t depth = *(size_t *)arg + 1;
    struct cg_group group;
    ssize_t n;

    deepest = depth;
    cg_group_open(&group);
    if (depth < DEPTH)
        IS(cg_yield(cg_add_to_group(&group, goes_deeper, &depth)), 0);
    else
        IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    n = cg_yield(cg_wait_group(&group));
    ended++;
    return n;
}

/* Nobody can be added once the last member has ended and the owner's wait has completed, also
 * before the owner has run. */
static ssize_t joins_late(void *arg)
{
    struct member late = {.length = MS};

    IS(cg_yield(cg_sleep(MS)), 0);
    IS(cg_yield(cg_add_to_group(arg, works, &late, .prio = CG_PRIO_CORO)), -EINVAL);
    IS(cg_group_start(arg, works, &late, NULL), -EINVAL);
    return 0;
}

static ssize_t closes_in_time(void *arg)
{
    struct cg_group group;
    struct member only = {.length = MS};
    struct cg_coro *late;

    (void)arg;
    cg_group_open(&group);
    IS(cg_group_start(&group, works, &only, NULL), 0);
    late = test_start(joins_late, &group);
    IS(cg_yield(cg_wait_group(&group)), 0);
    IS(cg_group_count(&group), 0);
    return test_end(late);
}

/* A wait that has never begun, because another branch completed at once, does not close the
 * group. */
static ssize_t stays_open(void *arg)
{
    struct cg_group group;
    struct cg_op *wait = cg_wait_group(&group);
    struct member only = {.length = MS};

    (void)arg;
    cg_group_open(&group);
    IS(cg_yield(cg_any((cg_pass(), wait))), 0);
    IS(cg_op_result(wait), -ECANCELED);
    IS(cg_group_start(&group, works, &only, NULL), 0);
    IS(cg_yield(cg_wait_group(&group)), 0);
    return 0;
}

/* Groups nested deeply do not overflow the stack of the coroutine that cancels the
 * outermost one. */
static ssize_t deep(void *arg)
{
    size_t depth = 0;
    struct cg_coro *coro = test_start(goes_deeper, &depth);

    (void)arg;
    ended = 0;
    while (deepest < DEPTH)
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS(cg_coro_cancel(coro), 0);
    IS(test_end(coro), -ECANCELED);
    ck_assert_uint_eq(ended, DEPTH);
    return 0;
}

static const struct test_case cases[] = {
    CORO(collects),
    CORO(nests),
    CORO(deep, .where = ON_SIM),
    CORO(failure),
    CORO(keeps_going),
    CORO(one_canceled),
    CORO(deadline, .where = ON_SIM),
    CORO(wait_times_out, .where = ON_SIM),
    CORO(wait_races, .where = ON_SIM),
    CORO(grace, .where = ON_SIM),
    CORO(owner_canceled, .where = ON_SIM),
    CORO(scopes, .where = ON_SIM),
    CORO(closes_in_time, .where = ON_SIM),
    CORO(stays_open),
    CORO(misuse),
    CORO(storm, .where = ON_SIM),
};

int main(void)
{
    return test_main("group", cases, COUNT(cases));
}
