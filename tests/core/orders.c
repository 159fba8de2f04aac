/* SPDX-License-Identifier: MIT */
/* See orders.h. */
#include "config.h"

#include "tests/core/orders.h"

#include <stdio.h>

static const struct {
    const char *name;
    uint8_t prio;
} prios[ORDERS] = {
    [ORDER_LAST] = {"LAST", CG_PRIO_LAST},
    [ORDER_CORO] = {"CORO", CG_PRIO_CORO},
    [ORDER_OP] = {"OP", CG_PRIO_OP},
    [ORDER_FIRST] = {"FIRST", CG_PRIO_FIRST},
};

/* An order that is listed as different from cogen's must differ, and have a reason. */
static void check_entry(const struct order *order)
{
    for (int p = 0; p < ORDERS; p++) {
        ck_assert_ptr_nonnull(order->ours[p]);
        if (order->cogens[p] == NULL)
            continue;
        ck_assert_str_ne(order->ours[p], order->cogens[p]);
        ck_assert_ptr_nonnull(order->why);
    }
}

static void run(const struct order *order, int p)
{
    struct test test = test_open(.prio = prios[p].prio);
    char label[64];
    ssize_t left;

    snprintf(label, sizeof label, "%s, %s", order->name, prios[p].name);
    test_label(label);
    note_anew();
    if (order->open)
        order->open(test.sched, order->arg);
    for (size_t i = 0; i < COUNT(order->fns) && order->fns[i]; i++)
        OK(cg_sched_start(test.sched, order->fns[i], order->arg));
    left = cg_sched_run(test.sched);
    ck_assert_msg(strcmp(noted, order->ours[p]) == 0, "%s: \"%s\", not \"%s\"", label,
                  noted, order->ours[p]);
    IS(left, order->left[p]);
    if (order->close)
        order->close();
    test_close(&test);
    test_label(NULL);
}

void orders_hold(const struct order *orders, size_t n)
{
    for (const struct order *order = orders; order < orders + n; order++) {
        check_entry(order);
        for (int p = 0; p < ORDERS; p++)
            run(order, p);
    }
}
