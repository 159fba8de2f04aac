/* SPDX-License-Identifier: MIT */
/* Named signals that wait for recipients, in virtual time: whom they wait for and wake, who of
 * several signallers is first, and what is left after a timeout. */
#include "config.h"

#include "tests/support/notes.h"
#include "tests/vocabulary/waiters.h"

#include <errno.h>

#define MS CG_MILLISECOND

struct call_for {
    unsigned recipients;
    ssize_t wanted;
    int64_t timeout;
};

static ssize_t calls_for(void *arg)
{
    struct call_for *c = arg;

    IS(cg_yield(
           cg_signal("crew", 8, .recipients = c->recipients, .timeout = c->timeout)),
       c->wanted);
    note("!");
    return 0;
}

/* With .recipients = n the signaller waits until n wait, then wakes all of them. */
static ssize_t recipients(void *arg)
{
    struct waiter w[] = {{"a", cg_name("crew"), 8},
                         {"b", cg_name("crew"), 8},
                         {"c", cg_name("crew"), 8}};
    struct call_for call = {.recipients = 3, .wanted = 3};
    struct cg_coro *caller = test_start(calls_for, &call), *coros[3];

    (void)arg;
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(noted, "");
        coros[i] = test_start(waiter, &w[i]);
        IS(cg_yield(cg_sleep(MS)), 0);
    }
    ck_assert_str_eq(noted, "abc!");
    for (int i = 0; i < 3; i++)
        IS(test_end(coros[i]), 0);
    return test_end(caller);
}

/* If enough waiters are there, the signaller does not wait, and wakes all, also more than
 * n. */
static ssize_t recipients_there(void *arg)
{
    struct waiter w[] = {{"a", cg_name("crew"), 8},
                         {"b", cg_name("crew"), 8},
                         {"c", cg_name("crew"), 8}};
    struct cg_coro *coros[3];

    (void)arg;
    for (int i = 0; i < 3; i++)
        coros[i] = waiting(&w[i]);
    IS(cg_yield(cg_signal("crew", 8, .recipients = 2, .timeout = CG_NOWAIT)), 3);
    for (int i = 0; i < 3; i++)
        IS(test_end(coros[i]), 0);
    ck_assert_str_eq(noted, "abc");
    return 0;
}

/* Two signallers may wait for recipients of one name; both signals arrive. */
static ssize_t two_signallers(void *arg)
{
    struct waiter w = {"w", cg_name("crew"), 8};
    struct call_for one = {.recipients = 1, .wanted = 1};
    struct cg_coro *a = test_start(calls_for, &one), *b = test_start(calls_for, &one);
    struct cg_coro *first, *second;

    (void)arg;
    test_until_waiting(a);
    test_until_waiting(b);
    first = test_start(waiter, &w);
    IS(test_end(first), 0);
    second = test_start(waiter, &w);
    IS(test_end(second), 0);
    IS(test_end(a), 0);
    return test_end(b);
}

/* A signaller counts only the recipients that wait at the moment: one that was cancelled,
 * or woken by another signal, does not count any more. */
static ssize_t recipients_that_leave(void *arg)
{
    struct waiter w = {"w", cg_name("crew"), 8}, other = {"o", cg_name("crew"), 7};
    struct call_for call = {.recipients = 3, .wanted = 3};
    struct cg_coro *caller = test_start(calls_for, &call), *coros[3];

    (void)arg;
    test_until_waiting(caller);
    for (int i = 0; i < 2; i++) {
        coros[0] = waiting(&w);
        IS(cg_yield(cg_cancel(coros[0])), 0);
        IS(test_end(coros[0]), -ECANCELED);
        IS(cg_yield(cg_wait_signal("crew", NULL, .timeout = CG_NOWAIT)), -ETIMEDOUT);
        coros[0] = waiting(&other);
        coros[1] = waiting(&other);
        IS(cg_yield(cg_signal("crew", 7)), 2);
        IS(test_end(coros[0]), 0);
        IS(test_end(coros[1]), 0);
    }
    ck_assert_str_eq(noted, "oooo");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(cg_coro_state(caller), CG_CORO_WAITING);
        coros[i] = test_start(waiter, &w);
        IS(cg_yield(cg_sleep(MS)), 0);
    }
    for (int i = 0; i < 3; i++)
        IS(test_end(coros[i]), 0);
    ck_assert_str_eq(noted, "oooowww!");
    return test_end(caller);
}

static ssize_t calls_once(void *arg)
{
    struct waiter *w = arg;
    ssize_t rc = cg_yield(cg_signal("crew", NULL, .recipients = (unsigned)w->wanted));

    if (rc > 0)
        note(w->mark);
    return rc;
}

static ssize_t joins_crew(void *arg)
{
    (void)arg;
    return cg_yield(cg_wait_signal("crew", NULL));
}

/* Of several signallers of a name, the one whose number of recipients is reached first is
 * served first; of those with the same number, the oldest. One that is cancelled does not
 * change the order of the others. */
static ssize_t signallers_by_number(void *arg)
{
    struct waiter w[] = {{"a", cg_name(0), 2}, {"b", cg_name(0), 3}, {"c", cg_name(0), 1},
                         {"d", cg_name(0), 2}, {"e", cg_name(0), 1}, {"f", cg_name(0), 1}};
    struct cg_coro *calls[COUNT(w)], *crew[6];

    (void)arg;
    for (size_t i = 0; i < COUNT(w); i++) {
        calls[i] = test_start(calls_once, &w[i]);
        test_until_waiting(calls[i]);
    }
    IS(cg_yield(cg_cancel(calls[2])), 0); /* the first in line */
    for (size_t i = 0; i < COUNT(crew); i++) {
        static const char *const order[] = {"e", "ef", "ef", "efa", "efa", "efad"};

        if (i == 2)
            IS(cg_yield(cg_cancel(calls[1])), 0); /* the last in line */
        crew[i] = test_start(joins_crew, NULL);
        IS(cg_yield(cg_sleep(MS)), 0);
        ck_assert_str_eq(noted, order[i]);
    }
    for (size_t i = 0; i < COUNT(crew); i++)
        IS(test_end(crew[i]), 0);
    for (size_t i = 0; i < COUNT(w); i++)
        IS(test_end(calls[i]), i == 1 || i == 2 ? -ECANCELED : w[i].wanted);
    return 0;
}

static ssize_t meets_itself(void *arg)
{
    struct cg_op *wait = cg_wait_signal("crew", NULL);
    struct cg_op *signal = cg_signal("crew", NULL, .recipients = *(unsigned *)arg);

    IS(cg_yield(cg_any((wait, signal), .timeout = MS)), *(unsigned *)arg ? -ETIMEDOUT : 1);
    IS(cg_op_result(wait), -ECANCELED);
    IS(cg_op_result(signal), *(unsigned *)arg ? -ECANCELED : 0);
    IS(cg_yield(cg_any((signal, wait), .timeout = MS)), *(unsigned *)arg ? -ETIMEDOUT : 0);
    return 0;
}

/* If one race waits for a name and signals it, its branches do not serve each other; both
 * serve others. */
static ssize_t rivals(void *arg)
{
    struct cg_op *signal = cg_signal("crew", NULL, .recipients = 1);
    struct cg_coro *crew;

    (void)arg;
    meets_itself(&(unsigned){0});
    meets_itself(&(unsigned){1});
    crew = test_start(joins_crew, NULL);
    IS(cg_yield(cg_any((signal, cg_wait_signal("crew", NULL)))), 0);
    IS(cg_op_result(signal), 1);
    return test_end(crew);
}

/* Waits for the name in two branches of a race, and is woken once. */
static ssize_t joins_crew_twice(void *arg)
{
    IS(cg_yield(cg_any((cg_wait_signal("crew", NULL), cg_wait_signal("crew", NULL)))), 0);
    note(arg);
    return 0;
}

/* Signals in a race. The other branches are a wait for the same name, which the signal
 * must not count, and a sleep. */
static ssize_t races_for_crew(void *arg)
{
    struct cg_op *signal =
        cg_signal("crew", NULL, .recipients = 3, .prio = *(const uint8_t *)arg);
    struct cg_op *wait = cg_wait_signal("crew", NULL);

    IS(cg_yield(cg_any((wait, signal, cg_sleep(CG_HOUR)))), 1);
    IS(cg_op_result(signal), 2); /* coroutines, one of which waited in two branches */
    IS(cg_op_result(wait), -ECANCELED);
    note("!");
    return 0;
}

/* A signal that is a branch and waits for recipients wins its race when they come. Its
 * result is the number that it has woken, and its coroutine runs before them if it is
 * favoured. */
static ssize_t recipients_for_branch(void *arg)
{
    static const uint8_t prios[] = {CG_PRIO_LAST, CG_PRIO_CORO, CG_PRIO_OP, CG_PRIO_FIRST};

    (void)arg;
    for (size_t i = 0; i < COUNT(prios); i++) {
        uint8_t prio = prios[i];
        struct cg_coro *caller = test_start(races_for_crew, &prio), *twice, *once;

        note_anew();
        test_until_waiting(caller);
        twice = test_start(joins_crew_twice, "c");
        test_until_waiting(twice);
        once = test_start(joins_crew, NULL);
        IS(test_end(once), 0);
        IS(test_end(twice), 0);
        IS(test_end(caller), 0);
        ck_assert_str_eq(noted, prios[i] & CG_PRIO_CORO ? "!c" : "c!");
        IS(cg_yield(cg_signal("crew", NULL)), 0); /* no waiter is left */
    }
    return 0;
}

/* A signal that times out while it waits for recipients wakes none, and leaves nothing
 * behind under its name. */
static ssize_t recipients_time_out(void *arg)
{
    struct waiter w = {"w", cg_name("crew"), 9};
    struct cg_coro *coro = waiting(&w);

    (void)arg;
    IS(cg_yield(cg_signal("crew", 8, .recipients = 2, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_signal("crew", 8, .recipients = 2, .timeout = CG_NOWAIT)),
       -ETIMEDOUT);
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_WAITING);
    IS(cg_yield(cg_signal("crew", 9)), 1);
    return test_end(coro);
}

static const struct test_case cases[] = {
    CORO(recipients, .where = ON_SIM),
    CORO(recipients_there, .where = ON_SIM),
    CORO(two_signallers, .where = ON_SIM),
    CORO(recipients_that_leave, .where = ON_SIM),
    CORO(signallers_by_number, .where = ON_SIM),
    CORO(rivals, .where = ON_SIM),
    CORO(recipients_for_branch, .where = ON_SIM),
    CORO(recipients_time_out, .where = ON_SIM),
};

int main(void)
{
    return test_main("signal_recipients", cases, COUNT(cases));
}
