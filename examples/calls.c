/* SPDX-License-Identifier: MIT */
/* A coroutine calls another and continues with its result. The call is an operation, so it
 * takes a timeout like every other.
 *
 *     ./calls                      prints foo, bar, and what bar has made of "ham"
 */
#include <cogen.h>
#include <stdio.h>

#include "common.h"

struct order {
    const char *what;
    char meal[64];
};

static ssize_t bar(void *arg)
{
    struct order *order = arg;

    puts("bar");
    return snprintf(order->meal, sizeof order->meal, "spam, %s and eggs", order->what);
}

static ssize_t foo(void *arg)
{
    struct order order = {.what = "ham"};
    ssize_t length;

    (void)arg;
    puts("foo");
    length = cg_yield(cg_call(bar, &order, .timeout = 5 * CG_SECOND));
    if (length < 0)
        example_fail("bar", length);
    else
        puts(order.meal);
    return length;
}

int main(int argc, char **argv)
{
    struct example ex = {
        .name = "calls",
        .about = "A coroutine calls another and prints its result",
    };
    int code;

    example_open(&ex, argc, argv);
    if ((code = cg_sched_start(ex.sched, foo, NULL, .name = "foo")) < 0)
        example_fail("start", code);
    return example_run(&ex);
}
