/* SPDX-License-Identifier: MIT */
/* Three tasks compute factorials at the same time, a second for each step; the program
 * waits for all of them.
 *
 *     ./factorial
 *     ./factorial --fast           a second lasts 20 ms
 *     ./factorial --reactor sim    the same in no time: the clock is virtual
 */
#include <cogen.h>
#include <stdio.h>

#include "common.h"

struct task {
    const char *name;
    int number;
};

static int64_t second = CG_SECOND;

static ssize_t factorial(void *arg)
{
    const struct task *task = arg;
    ssize_t f = 1, rc;

    for (int i = 2; i <= task->number; i++) {
        printf("Task %s: Compute factorial(%d)...\n", task->name, i);
        if ((rc = cg_yield(cg_sleep(second))) < 0)
            return rc;
        f *= i;
    }
    printf("Task %s: factorial(%d) = %zd\n", task->name, task->number, f);
    return f;
}

static ssize_t all(void *arg)
{
    struct task a = {"A", 2}, b = {"B", 3}, c = {"C", 4};

    (void)arg;
    /* A call in cg_all runs in its own coroutine. */
    return cg_yield(cg_all(
        (cg_call(factorial, &a), cg_call(factorial, &b), cg_call(factorial, &c))));
}

int main(int argc, char **argv)
{
    const char *fast = NULL;
    const struct example_option options[] = {
        {"fast", NULL, "a second lasts 20 ms", &fast, 0},
        {0},
    };
    struct example ex = {
        .name = "factorial",
        .about = "Three tasks at the same time, and one that waits for them",
        .options = options,
    };
    int code;

    example_open(&ex, argc, argv);
    if (fast)
        second /= 50;
    if ((code = cg_sched_start(ex.sched, all, NULL, .name = "all")) < 0)
        example_fail("start", code);
    return example_run(&ex);
}
