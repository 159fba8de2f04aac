/* SPDX-License-Identifier: MIT */
/* The operating system, steps 4 to 8: tasks that yield system calls. The calls are
 * operation types of our own (os.c) on cogen's scheduler.
 *
 *     ./pyos 4                 a task asks for its own number
 *     ./pyos 5                 tasks start tasks and kill them
 *     ./pyos 6                 a task waits for another
 *     ./pyos 7                 a task waits for a descriptor, others continue
 *     ./pyos 8                 a task calls subroutines that may yield
 */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../common.h"
#include "os.h"

/* Prints its number a few times, and lets the others run after each. */
static ssize_t say(void *arg)
{
    const int *times = arg;
    ssize_t tid = cg_yield(os_get_tid());

    for (int i = 0; i < *times && tid >= 0; i++) {
        printf("I'm task %zd\n", tid);
        if (cg_yield(cg_pass()) < 0)
            break;
    }
    return 0;
}

static ssize_t get_tid(void *arg)
{
    (void)arg;
    cg_yield(os_new_task(say, &(int){2}, .prio = CG_PRIO_CORO));
    return say(&(int){3});
}

static ssize_t new_and_kill(void *arg)
{
    ssize_t child = cg_yield(os_new_task(say, &(int){1000}));

    (void)arg;
    for (int i = 0; i < 3; i++)
        cg_yield(cg_pass());
    /* The child is in the ready queue: it runs once more, and then each of its yields
     * fails. */
    printf("killed: %zd\n", cg_yield(os_kill_task(child)));
    cg_yield(os_wait_task(child));
    printf("killed again: %zd\n", cg_yield(os_kill_task(child)));
    return 0;
}

static ssize_t wait_task(void *arg)
{
    ssize_t child = cg_yield(os_new_task(say, &(int){3}));

    (void)arg;
    puts("Waiting for the child");
    printf("at most no time at all: %s\n",
           cg_strerror(cg_yield(os_wait_task(child, .timeout = CG_NOWAIT))));
    printf("to its end: %zd\n", cg_yield(os_wait_task(child)));
    printf("once more: %zd\n", cg_yield(os_wait_task(child)));
    return 0;
}

static ssize_t reader(void *arg)
{
    const int *pipe = arg;
    char text[16] = "";
    ssize_t rc;

    puts("Waiting for the pipe");
    rc = cg_yield(os_read_wait(pipe[0]));
    if (rc >= 0 && read(pipe[0], text, sizeof text - 1) < 0)
        rc = -errno;
    if (rc < 0)
        example_fail("read", rc);
    else
        printf("Read: %s\n", text);
    return 0;
}

static ssize_t wait_io(void *arg)
{
    int ends[2];
    ssize_t child, rc;

    (void)arg;
    if (pipe(ends) < 0) {
        example_fail("pipe", -errno);
        return 0;
    }
    child = cg_yield(os_new_task(reader, ends));
    say(&(int){3});
    rc = cg_yield(os_write_wait(ends[1]));
    if (rc >= 0 && write(ends[1], "hello", 5) < 0)
        rc = -errno;
    if (rc < 0)
        example_fail("write", rc);
    close(ends[1]); /* the reader finds its end, whatever was written */
    cg_yield(os_wait_task(child));
    close(ends[0]);
    return 0;
}

static ssize_t sum(void *arg)
{
    const int *numbers = arg;

    cg_yield(cg_pass()); /* a subroutine may yield, at any depth */
    return numbers[0] + numbers[1];
}

static ssize_t twice(void *arg)
{
    return 2 * cg_yield(os_call(sum, arg));
}

static ssize_t trampolined(void *arg)
{
    (void)arg;
    printf("the sum is %zd\n", cg_yield(os_call(sum, ((int[]){2, 2}))));
    printf("twice the sum is %zd\n", cg_yield(os_call(twice, ((int[]){20, 1}))));
    return 0;
}

int main(int argc, char **argv)
{
    static cg_fn *const steps[] = {get_tid, new_and_kill, wait_task, wait_io,
                                   trampolined};
    struct example ex = {
        .name = "pyos",
        .about = "A small operating system of system calls that are operations",
        .operands = "4|5|6|7|8",
    };
    int step, code;

    example_open(&ex, argc, argv);
    step = ex.argc == 1 && strlen(ex.argv[0]) == 1 ? ex.argv[0][0] - '4' : -1;
    if (step < 0 || step > 4)
        example_usage(&ex, "give a step from 4 to 8");
    if ((code = os_boot(ex.sched, steps[step], NULL)) < 0)
        example_fail("boot", code);
    return example_run(&ex);
}
