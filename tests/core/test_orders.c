/* SPDX-License-Identifier: MIT */
/* Tests of cogen, the Python library that preceded this one: those about calls, signals
 * and pipes whose result depends on the order of coroutines. Our order is the same, or the
 * table has cogen's order and the reason for the difference. The tests of queues are in
 * test_orders_queue.c, those of sockets and timers in test_orders_net.c. */
#include "config.h"

#include "tests/core/orders.h"

#include <errno.h>

#define MS CG_MILLISECOND

static int object;

static ssize_t waits_twice(void *arg)
{
    (void)arg;
    note("1");
    IS(cg_yield(cg_wait_signal("first", NULL)), 0);
    note("3");
    IS(cg_yield(cg_wait_signal(&object, NULL)), 0);
    note("5");
    return 0;
}

static ssize_t signals_twice(void *arg)
{
    (void)arg;
    note("2");
    IS(cg_yield(cg_signal("first", NULL)), 1);
    note("4");
    IS(cg_yield(cg_signal(&object, NULL, .recipients = 1)), 1);
    note("6");
    return 0;
}

static ssize_t adds(void *arg)
{
    (void)arg;
    note("1");
    IS(cg_yield(cg_add(notes, "new")), 0);
    note("2");
    return 0;
}

static ssize_t fails_later(void *arg)
{
    IS(cg_yield(cg_pass()), 0);
    return -*(ssize_t *)arg;
}

static ssize_t calls_on(void *arg)
{
    return cg_yield(cg_call(answers, arg));
}

static ssize_t calls_further(void *arg)
{
    return cg_yield(cg_call(calls_on, arg));
}

static ssize_t number = EPROTO;

static ssize_t calls(void *arg)
{
    (void)arg;
    note("1");
    IS(cg_yield(cg_call(answers, &number)), EPROTO);
    note("2");
    IS(cg_yield(cg_call(fails_later, &number)), -EPROTO);
    note("3");
    IS(cg_yield(cg_call(calls_further, &number)), EPROTO);
    note("4");
    return 0;
}

static ssize_t joins(void *arg)
{
    struct cg_coro *coro;

    (void)arg;
    note("1");
    IS(cg_yield(cg_add(answers, &number, .coro = &coro)), 0);
    IS(test_end(coro), EPROTO);
    note("2");
    IS(cg_yield(cg_add(fails_later, &number, .coro = &coro)), 0);
    IS(test_end(coro), -EPROTO);
    note("3");
    return 0;
}

static enum cg_verdict broken_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    op->result = -EPROTO;
    return CG_DONE;
}

static ssize_t yields_broken(void *arg)
{
    static const struct cg_op_type type = {.name = "broken", .process = broken_process};
    struct cg_op op = {.type = &type, .timeout = MS};

    (void)arg;
    IS(cg_yield(&op), -EPROTO);
    note("1");
    IS(cg_yield(cg_sleep(2 * MS)), 0); /* longer than the op's timeout, which is not set any more */
    note("2");
    return 0;
}

static ssize_t joins_broken(void *arg)
{
    IS(test_end(test_start(yields_broken, arg)), 0);
    note("3");
    return 0;
}

/* One signaller that waits for two recipients. */

static ssize_t wants_two(void *arg)
{
    (void)arg;
    note("1");
    IS(cg_yield(cg_signal("crew", NULL, .recipients = 2)), 2);
    note("7");
    return 0;
}

static ssize_t waits_first(void *arg)
{
    (void)arg;
    note("2");
    IS(cg_yield(cg_wait_signal("crew", NULL)), 0);
    note("5");
    return 0;
}

static ssize_t waits_second(void *arg)
{
    (void)arg;
    note("3");
    IS(cg_yield(cg_sleep(MS)), 0);
    note("4");
    IS(cg_yield(cg_wait_signal("crew", NULL)), 0);
    note("6");
    return 0;
}

static ssize_t signals_go(void *arg)
{
    (void)arg;
    OK(cg_yield(cg_signal("go", NULL)));
    return 0;
}

static ssize_t produces(void *arg)
{
    (void)arg;
    note("<");
    for (intptr_t i = 1; i <= 3; i++)
        IS(cg_yield(cg_produce(i)), 0);
    if (cg_yield(cg_wait_signal("go", NULL)) < 0)
        return -ECANCELED;
    note("s");
    IS(cg_yield(cg_produce(4)), 0);
    note(">");
    return 0;
}

/* Causes a signal, then asks for the value that the producer yields after the signal. */
static ssize_t iterates(void *arg)
{
    struct cg_iterator it = cg_iterator(produces, NULL);
    intptr_t value;

    (void)arg;
    while (cg_yield(cg_get_next(&it, &value)) == 1) {
        note_letter(value);
        if (value == 3)
            IS(cg_yield(cg_add(signals_go, NULL)), 0);
    }
    IS(cg_yield(cg_stop_producer(&it)), 0);
    note(".");
    return 0;
}

static ssize_t produces_one(void *arg)
{
    (void)arg;
    note("<");
    IS(cg_yield(cg_produce(1)), 0);
    IS(cg_yield(cg_wait_signal("never", NULL)), -ECANCELED);
    note(">");
    return -ECANCELED;
}

static ssize_t stops(void *arg)
{
    struct cg_iterator it = cg_iterator(produces_one, NULL);
    intptr_t value;

    (void)arg;
    IS(cg_yield(cg_get_next(&it, &value)), 1);
    note_letter(value);
    IS(cg_yield(cg_stop_producer(&it)), 0);
    IS(cg_yield(cg_get_next(&it, &value)), 0);
    note(".");
    return 0;
}

static const struct order orders[] = {
    {
        .name = "sched.signal",
        .fns = {waits_twice, signals_twice},
        .ours = {"123456", "124365", "123456", "124365"},
    },
    {
        .name = "sched.add_coro",
        .fns = {adds},
        .ours = {"1new2", "12new", "1new2", "12new"},
    },
    {.name = "sched.call", .fns = {calls}, .ours = ALWAYS("1234")},
    {.name = "sched.join", .fns = {joins}, .ours = ALWAYS("123")},
    {.name = "sched.bad_ops", .fns = {joins_broken}, .ours = ALWAYS("123")},
    {
        .name = "queue.signal_1s2w",
        .fns = {wants_two, waits_first, waits_second},
        .ours = {"1234567", "1234756", "1234567", "1234756"},
        .cogens = {[ORDER_OP] = "1234657", [ORDER_FIRST] = "1234765"},
        .why = "those who are woken together run in the order of their waiting",
    },
    {
        .name = "pipe.iter",
        .fns = {iterates},
        .ours = {"<bcd", "<bcdse>.", "<bcd", "<bcd"},
        .cogens = {"<bcdse>.", [ORDER_OP] = "<bcdse>.", [ORDER_FIRST] = "<bcdse>."},
        .why = "the producer waits for the signal only once it is asked for a fourth value",
        .left = {2, 0, 2, 2},
    },
    {
        .name = "pipe.iter_stop",
        .fns = {stops},
        .ours = ALWAYS("<b>."),
        .cogens = ALWAYS("<b.>"),
        .why = "cg_stop_producer waits until the producer has ended",
    },
};

static void as_in_the_table(void)
{
    orders_hold(orders, COUNT(orders));
}

static const struct test_case cases[] = {
    PLAIN(as_in_the_table),
};

int main(void)
{
    return test_main("orders", cases, COUNT(cases));
}
