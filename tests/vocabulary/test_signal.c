/* SPDX-License-Identifier: MIT */
/* Named signals, in virtual time: which waiters are woken, in which order, with which
 * value, and what counts as the same name. Signals that wait for recipients are in
 * test_signal_recipients.c. */
#include "config.h"

#include "tests/support/notes.h"
#include "tests/vocabulary/waiters.h"

#include <errno.h>
#include <stdio.h>

#define MS CG_MILLISECOND

/* A signal wakes all that wait for its name, in the order of their waits, before the
 * signaller continues. Its result is their number. Others continue to wait. */
static ssize_t wakes_all_in_order(void *arg)
{
    struct waiter a = {"a", cg_name("go"), 5}, b = {"b", cg_name("go"), 5};
    struct waiter c = {"c", cg_name("go"), 5}, other = {"o", cg_name("stay"), 6};
    struct cg_coro *coros[] = {waiting(&a), waiting(&b), waiting(&other), waiting(&c)};

    (void)arg;
    IS(cg_yield(cg_signal("go", 5)), 3);
    ck_assert_str_eq(noted, "abc");
    IS(cg_yield(cg_signal("go", 5)), 0);
    IS(cg_yield(cg_signal("stay", 6)), 1);
    for (size_t i = 0; i < COUNT(coros); i++)
        IS(test_end(coros[i]), 0);
    return 0;
}

/* A signal for which nothing waits is lost. */
static ssize_t is_not_remembered(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_signal("go", 1)), 0);
    IS(cg_yield(cg_wait_signal("go", NULL, .timeout = MS)), -ETIMEDOUT);
    return 0;
}

/* Strings with equal bytes are the same name wherever they lie. Integers are compared by
 * value, whatever their type; pointers by identity. Names of different kinds are never
 * equal. */
static ssize_t names(void *arg)
{
    static const char bytes[] = {'a', '\0', 'b'}, same[] = {'a', '\0', 'b'};
    static const char other[] = {'a', '\0', 'c'};
    char text[] = "go";
    int object, another;
    struct waiter w[] = {
        {"s", cg_name(text), 1},    {"i", cg_name(7), 2},
        {"p", cg_name(&object), 3}, {"b", cg_name_bytes(bytes, sizeof bytes), 4},
        {"e", cg_name(""), 5},      {"P", cg_name_pointer(bytes), 6},
        {"n", cg_name(-1), 7},      {"z", cg_name(0), 8},
    };
    struct cg_coro *coros[COUNT(w)];

    (void)arg;
    for (size_t i = 0; i < COUNT(w); i++)
        coros[i] = waiting(&w[i]);
    IS(cg_yield(cg_signal("g", 0)), 0);
    IS(cg_yield(cg_signal("go!", 0)), 0);
    IS(cg_yield(cg_signal(&another, 0)), 0);
    IS(cg_yield(cg_signal((intptr_t)&object, 0)), 0);
    IS(cg_yield(cg_signal("7", 0)), 0);
    IS(cg_yield(cg_signal(cg_name_bytes(other, sizeof other), 0)), 0);
    IS(cg_yield(cg_signal(cg_name_bytes(bytes, 1), 0)), 0);
    ck_assert_str_eq(noted, "");
    IS(cg_yield(cg_signal("go", 1)), 1);
    IS(cg_yield(cg_signal((unsigned char)7, 2)), 1);
    IS(cg_yield(cg_signal(&object, 3)), 1);
    IS(cg_yield(cg_signal(cg_name_bytes(same, sizeof same), 4)), 1);
    IS(cg_yield(cg_signal("", 5)), 1);
    IS(cg_yield(cg_signal(cg_name_pointer(bytes), 6)), 1);
    IS(cg_yield(cg_signal(-1L, 7)), 1);
    IS(cg_yield(cg_signal(false, 8)), 1);
    ck_assert_str_eq(noted, "sipbePnz");
    for (size_t i = 0; i < COUNT(w); i++)
        IS(test_end(coros[i]), 0);
    return 0;
}

static ssize_t waits_for_pointer(void *arg)
{
    char *value = NULL;

    IS(cg_yield(cg_wait_signal("pointer", &value)), 0);
    ck_assert_ptr_eq(value, arg);
    return 0;
}

/* The value is one word, which may be a pointer; a waiter that does not need it passes
 * NULL. */
static ssize_t value_is_a_word(void *arg)
{
    char object = 'x';
    struct cg_coro *coro = test_start(waits_for_pointer, &object);

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(cg_signal("pointer", &object)), 1);
    return test_end(coro);
}

/* Waiters that time out or are cancelled, at either end of the line or in the middle, are
 * no longer counted, and do not change the order of the others. */
static ssize_t waiters_that_leave(void *arg)
{
    struct waiter w[] = {{"a", cg_name("go"), 3},
                         {"b", cg_name("go"), 3},
                         {"c", cg_name("go"), 3},
                         {"d", cg_name("go"), 3},
                         {"e", cg_name("go"), 3}};
    struct cg_coro *coros[COUNT(w)];

    (void)arg;
    for (size_t i = 0; i < COUNT(w); i++)
        coros[i] = waiting(&w[i]);
    IS(cg_yield(cg_wait_signal("go", NULL, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_cancel(coros[0])), 0);
    IS(cg_yield(cg_cancel(coros[2])), 0);
    IS(cg_yield(cg_cancel(coros[4])), 0);
    IS(cg_yield(cg_signal("go", 3)), 2);
    ck_assert_str_eq(noted, "bd");
    for (size_t i = 0; i < COUNT(w); i++)
        IS(test_end(coros[i]), i % 2 ? 0 : -ECANCELED);
    IS(cg_yield(cg_signal("go", 3)), 0);
    return 0;
}

/* Thousands of names at the same time do not affect each other. */
static ssize_t many_names(void *arg)
{
    enum {
        NAMES = 1000
    };
    static struct waiter w[2 * NAMES];
    static struct cg_coro *coros[2 * NAMES];
    static char text[NAMES][32];

    (void)arg;
    for (int i = 0; i < NAMES; i++) {
        snprintf(text[i], sizeof text[i], "name %d", i);
        w[i] = (struct waiter){"", cg_name(text[i]), i};
        w[NAMES + i] = (struct waiter){"", cg_name(i), -i};
    }
    for (int i = 0; i < 2 * NAMES; i++)
        coros[i] = test_start(waiter, &w[i]);
    test_until_waiting(coros[2 * NAMES - 1]);
    for (intptr_t i = NAMES - 1; i >= 0; i--) {
        char name[32];

        snprintf(name, sizeof name, "name %d", (int)i);
        IS(cg_yield(cg_signal(name, i)), 1);
        IS(cg_yield(cg_signal(i, -i)), 1);
    }
    for (int i = 0; i < 2 * NAMES; i++)
        IS(test_end(coros[i]), 0);
    return 0;
}

static ssize_t waits_again(void *arg)
{
    ssize_t *rounds = arg;

    for (;;) {
        ssize_t answer = cg_yield(cg_wait_signal("tick", NULL, .timeout = CG_SECOND));

        if (answer < 0)
            return answer;
        ++*rounds;
    }
}

/* A coroutine that waits again when it is woken gets the next signal, not the same one
 * twice. */
static ssize_t waits_again_gets_next(void *arg)
{
    ssize_t rounds = 0;
    struct cg_coro *coro = test_start(waits_again, &rounds);

    (void)arg;
    test_until_waiting(coro);
    for (ssize_t i = 1; i <= 100; i++) {
        IS(cg_yield(cg_signal("tick", NULL)), 1);
        ck_assert_int_eq(rounds, i);
    }
    IS(test_end(coro), -ETIMEDOUT);
    return 0;
}

static ssize_t prints_stuff(void *arg)
{
    const char *stuff;

    (void)arg;
    while (cg_yield(cg_wait_signal("stuff", &stuff, .timeout = CG_SECOND)) >= 0) {
        note(stuff);
        note(" ");
    }
    note("No more stuff!");
    return 0;
}

/* The program of cogen's introduction: it notes each value, and ends by a timeout after
 * the last one. */
static ssize_t introduction(void *arg)
{
    static const char *const stuff[] = {"spam", "ham", "eggs"};
    struct cg_coro *printer = test_start(prints_stuff, NULL);

    (void)arg;
    for (size_t i = 0; i < COUNT(stuff); i++)
        IS(cg_yield(cg_signal("stuff", stuff[i], .recipients = 1)), 1);
    IS(test_end(printer), 0);
    ck_assert_str_eq(noted, "spam ham eggs No more stuff!");
    return 0;
}

static ssize_t waits_twice(void *arg)
{
    struct cg_op *a = cg_wait_signal("go", NULL), *b = cg_wait_signal("go", NULL);

    (void)arg;
    IS(cg_yield(cg_any((a, b))), 0);
    IS(cg_op_result(b), -ECANCELED);
    return 0;
}

/* A coroutine that waits for one name in two branches of a race gets the signal once. */
static ssize_t waits_in_race(void *arg)
{
    struct cg_coro *coro = test_start(waits_twice, NULL),
                   *other = test_start(waits_twice, NULL);

    (void)arg;
    test_until_waiting(other);
    IS(cg_yield(cg_signal("go", 0, .prio = CG_PRIO_LAST)), 2);
    IS(test_end(coro), 0);
    return test_end(other);
}

static ssize_t gets_seven(void *arg)
{
    intptr_t value = 0;

    (void)arg;
    IS(cg_yield(cg_wait_signal("go", &value)), 0);
    return value;
}

static void signals(void *arg)
{
    IS(cg_sched_signal(arg, "stay", 7), 0);
    IS(cg_sched_signal(arg, "go", 7), 2);
    IS(cg_sched_signal(arg, "go", 8), 0);
}

/* cg_sched_signal works in a callback outside coroutines, and returns how many it has
 * woken. */
static ssize_t from_a_callback(void *arg)
{
    struct cg_coro *coro = test_start(gets_seven, NULL),
                   *other = test_start(gets_seven, NULL);

    (void)arg;
    test_until_waiting(other);
    OK(cg_sched_call_soon(cg_sched_self(), signals, cg_sched_self(), NULL));
    IS(test_end(coro), 7);
    IS(test_end(other), 7);
    return 0;
}

static const struct test_case cases[] = {
    CORO(wakes_all_in_order, .where = ON_SIM),
    CORO(is_not_remembered, .where = ON_SIM),
    CORO(names, .where = ON_SIM),
    CORO(value_is_a_word, .where = ON_SIM),
    CORO(waiters_that_leave, .where = ON_SIM),
    CORO(many_names, .where = ON_SIM),
    CORO(waits_again_gets_next, .where = ON_SIM),
    CORO(waits_in_race, .where = ON_SIM),
    CORO(introduction, .where = ON_SIM),
    CORO(from_a_callback, .where = ON_SIM),
};

int main(void)
{
    return test_main("signal", cases, COUNT(cases));
}
