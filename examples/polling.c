/* SPDX-License-Identifier: MIT */
/* Two processes at the same time, of five and three seconds. By default a loop asks both
 * once a second, through generators, whether they have finished. With --wait there is a
 * coroutine for each process, which is woken when the process has printed something.
 *
 *     ./polling                also prints "still working", six times for the first process
 *     ./polling --wait         prints only the output of the processes
 *     ./polling --fast         a second lasts 400 ms
 */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "generators.h"

static char *program;
static int64_t second = CG_SECOND;

struct task {
    const char *name;
    double seconds;
    char text[64]; /* what its process has printed */
};

/* The child process. The half second stands for the start of an interpreter. */
static int child_main(const char *nanoseconds)
{
    usleep((useconds_t)(atoll(nanoseconds) / 1000));
    puts("finished!");
    return 0;
}

static int start(const struct task *task, struct cg_process **process)
{
    char ns[32], *argv[] = {program, "--child", ns, NULL};

    snprintf(ns, sizeof ns, "%.0f", (task->seconds + 0.5) * second);
    return cg_process_spawn(cg_sched_self(), argv, process, .in = CG_STDIO_NULL,
                            .out = CG_STDIO_PIPE);
}

/* Yields NULL as long as the process works, then its output. */
static ssize_t nb_read(struct cg_gen *gen, void *arg)
{
    struct task *task = arg;
    struct cg_process *process;
    ssize_t rc = start(task, &process);

    if (rc < 0)
        return rc;
    while ((rc = cg_yield(cg_wait_process(process, .timeout = CG_NOWAIT))) ==
           -ETIMEDOUT)
        if ((rc = cg_gen_yield(gen, NULL, NULL)) < 0)
            break;
    if (rc >= 0)
        rc = cg_yield(
            cg_readline(cg_process_sock(process, 1), task->text, sizeof task->text));
    cg_process_close(process);
    return rc < 0 ? rc : cg_gen_yield(gen, task->text, NULL);
}

static ssize_t poll_both(void *arg)
{
    struct task *tasks = arg;
    struct cg_gen *gens[2] = {generator(nb_read, &tasks[0]),
                              generator(nb_read, &tasks[1])};
    int64_t next = cg_sched_now(cg_sched_self());
    const char *text;
    int left = 2;
    ssize_t rc = 0;

    while (left > 0 && rc >= 0) {
        for (int i = 0; i < 2 && rc >= 0; i++) {
            if (!gens[i] || (rc = cg_gen_next(gens[i], &text)) < 0)
                continue;
            if (!text) {
                printf("still working on %s\n", tasks[i].name);
                continue;
            }
            printf("%s:%s", tasks[i].name, text);
            cg_gen_free(gens[i]);
            gens[i] = NULL;
            left--;
        }
        if (left > 0 && rc >= 0)
            rc = cg_yield(cg_sleep_until(next += second));
    }
    for (int i = 0; i < 2; i++)
        cg_gen_free(gens[i]);
    if (rc < 0)
        example_fail("polling", rc);
    return rc;
}

static ssize_t wait_for_one(void *arg)
{
    const struct task *task = arg;
    struct cg_process *process;
    struct cg_output out = {.data = NULL};
    ssize_t rc = start(task, &process);

    if (rc < 0)
        return rc;
    if ((rc = cg_yield(cg_communicate(process, NULL, 0, .out = &out))) >= 0)
        printf("%s:%s", task->name, out.data);
    free(out.data);
    cg_process_close(process);
    return rc;
}

static ssize_t wait_for_both(void *arg)
{
    struct task *tasks = arg;
    struct cg_op *one = cg_call(wait_for_one, &tasks[0]);
    struct cg_op *two = cg_call(wait_for_one, &tasks[1]);

    cg_yield(cg_all((one, two)));
    if (cg_op_result(one) < 0 || cg_op_result(two) < 0)
        example_fail("waiting",
                     cg_op_result(one) < 0 ? cg_op_result(one) : cg_op_result(two));
    return 0;
}

int main(int argc, char **argv)
{
    const char *wait = NULL, *fast = NULL;
    const struct example_option options[] = {
        {"wait", NULL, "instead of polling", &wait, 0},
        {"fast", NULL, "a second lasts 400 ms", &fast, 0},
        {0},
    };
    struct example ex = {
        .name = "polling",
        .about = "Two processes at the same time, polled or waited for",
        .options = options,
        .network = true,
    };
    struct task tasks[] = {{.name = "task1", .seconds = 5},
                           {.name = "task2", .seconds = 3}};
    int code;

    if (argc == 3 && strcmp(argv[1], "--child") == 0)
        return child_main(argv[2]);
    example_open(&ex, argc, argv);
    program = argv[0];
    if (fast)
        second = second * 2 / 5;
    if ((code = cg_sched_start(ex.sched, wait ? wait_for_both : poll_both, tasks)) < 0)
        example_fail("start", code);
    return example_run(&ex);
}
