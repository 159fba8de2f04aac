/* SPDX-License-Identifier: MIT */
/* A queue of jobs: one coroutine puts jobs in, three workers take them out. The queue's
 * limit keeps the producer from running far ahead of the workers.
 *
 *     ./jobs                   nine jobs of 20 to 100 ms; prints who did what
 *     ./jobs --reactor sim     the same in no time
 */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>

#include "common.h"

enum {
    JOBS = 9,
    WORKERS = 3
};

static struct cg_queue *queue;
static int sum;

/* The length of each job, in units of 20 ms, such that no two end at the same time. */
static const int lasts[JOBS] = {5, 1, 2, 3, 5, 2, 4, 4, 1};

static ssize_t worker(void *arg)
{
    const char *name = arg;
    intptr_t job;

    while (cg_yield(cg_get(queue, &job)) == 0) {
        if (cg_yield(cg_sleep(lasts[job - 1] * 20 * CG_MILLISECOND)) < 0)
            break;
        printf("worker %s: job %d done\n", name, (int)job);
        sum += (int)job;
        cg_queue_task_done(queue);
    }
    return 0;
}

static ssize_t boss(void *arg)
{
    ssize_t rc = 0;

    (void)arg;
    for (intptr_t job = 1; job <= JOBS && rc >= 0; job++)
        rc = cg_yield(cg_put(queue, job));
    if (rc >= 0)
        rc = cg_yield(cg_join_queue(queue));
    printf("all done: %d\n", sum);
    cg_queue_close(queue); /* ends the workers */
    return rc;
}

int main(int argc, char **argv)
{
    static char *names[WORKERS] = {"A", "B", "C"};
    struct example ex = {
        .name = "jobs",
        .about = "A queue of jobs, three workers, and one coroutine that waits for them",
    };
    int code = 0;

    example_open(&ex, argc, argv);
    queue = cg_queue_new(.limit = 4, .name = "jobs");
    for (int i = 0; i < WORKERS && queue && code >= 0; i++)
        code = cg_sched_start(ex.sched, worker, names[i], .name = names[i]);
    if (queue && code >= 0)
        code = cg_sched_start(ex.sched, boss, NULL, .name = "boss");
    if (!queue || code < 0)
        example_fail("start", queue ? code : -ENOMEM);
    code = example_run(&ex);
    cg_queue_free(queue);
    return code;
}
