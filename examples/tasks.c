/* SPDX-License-Identifier: MIT */
/* The vocabulary of asyncio: a set of tasks for which a program waits, callbacks when a
 * task is done, one of them removed again, calls at a later moment, and a loop that runs
 * until it is stopped.
 *
 *     ./tasks                      takes a quarter of a second
 *     ./tasks --reactor sim        no time at all
 */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>

#include "common.h"

static char never[] = "never called";

static ssize_t square(void *arg)
{
    const int *n = arg;
    ssize_t rc = cg_yield(cg_sleep(*n * 50 * CG_MILLISECOND));

    return rc < 0 ? rc : *n * *n;
}

static void tell(struct cg_future *future, void *arg)
{
    printf("%s: %zd\n", (const char *)arg, cg_future_result(future));
}

static void tick(void *arg)
{
    printf("tick %s\n", (const char *)arg);
}

static void stop(void *arg)
{
    puts("stop");
    cg_sched_stop(arg);
}

static ssize_t forever(void *arg)
{
    (void)arg;
    while (cg_yield(cg_sleep(CG_HOUR)) >= 0)
        ;
    puts("the one that ran forever is cancelled");
    return 0;
}

enum { SET = 3 };

/* Makes the tasks, and says what is to be called when each is done. */
static int make_set(struct cg_sched *sched, struct cg_future *set[SET])
{
    static int numbers[SET] = {3, 1, 2};
    int rc = 0;

    for (int i = 0; i < SET && rc == 0; i++) {
        set[i] = cg_task_new(sched, square, &numbers[i], .name = "square");
        if (set[i] == NULL)
            return -ENOMEM;
        rc = cg_future_add_done(set[i], tell, "done");
        if (rc == 0)
            rc = cg_future_add_done(set[i], tell, never);
    }
    return rc;
}

/* Three calls at later moments, of which one is taken back. */
static int call_later(struct cg_sched *sched)
{
    struct cg_handle *unwanted;
    int rc = cg_sched_call_later(sched, 75 * CG_MILLISECOND, tick, "never", &unwanted);

    if (rc < 0)
        return rc;
    cg_handle_cancel(unwanted);
    cg_handle_unref(unwanted);
    rc = cg_sched_call_later(sched, 25 * CG_MILLISECOND, tick, "soon", NULL);
    return rc < 0 ? rc : cg_sched_call_later(sched, 125 * CG_MILLISECOND, tick, "later", NULL);
}

static ssize_t await_set(struct cg_sched *sched, struct cg_future *set[SET])
{
    ssize_t rc = make_set(sched, set);

    if (rc < 0)
        return rc;
    for (int i = 0; i < SET; i++)
        printf("callbacks removed: %zu\n", cg_future_remove_done(set[i], tell, never));
    rc = call_later(sched);
    if (rc == 0)
        rc = cg_yield(cg_await_any(set, SET));
    if (rc < 0)
        return rc;
    printf("the first one: %zd\n", cg_future_result(set[rc]));
    rc = cg_yield(cg_await_all(set, SET));
    if (rc < 0)
        return rc;
    printf("all: %zd, %zd, %zd\n", cg_future_result(set[0]), cg_future_result(set[1]),
           cg_future_result(set[2]));
    return cg_sched_call_later(sched, 50 * CG_MILLISECOND, stop, sched, NULL);
}

static ssize_t wait_for_set(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    struct cg_future *set[SET] = {NULL};
    ssize_t rc = await_set(sched, set);

    (void)arg;
    for (int i = 0; i < SET; i++)
        cg_future_unref(set[i]);
    if (rc < 0) {
        example_fail("the set of tasks", rc);
        cg_sched_stop(sched);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct example ex = {
        .name = "tasks",
        .about = "Tasks, callbacks and handles in asyncio's words",
    };
    int code;

    example_open(&ex, argc, argv);
    if ((code = cg_sched_start(ex.sched, forever, NULL, .name = "forever")) < 0 ||
        (code = cg_sched_start(ex.sched, wait_for_set, NULL, .name = "wait")) < 0)
        example_fail("start", code);
    return example_run(&ex);
}
