/* SPDX-License-Identifier: MIT */
/* The operating system, step 1: a task is an object around a coroutine, which it runs to
 * its next yield. Steps 2 and 3 are pyos2, steps 4 to 8 pyos.
 *
 *     ./pyos1
 */
#include <cogen.h>
#include <stdio.h>

#include "../generators.h"

struct task {
    long tid;
    struct cg_gen *target;
    const char *send; /* sent to it when it runs next */
    bool begun;
};

static ssize_t task_run(struct task *task)
{
    if (task->begun)
        return cg_gen_send(task->target, task->send, NULL);
    task->begun = true;
    return cg_gen_next(task->target, NULL);
}

static ssize_t foo(struct cg_gen *gen, void *arg)
{
    const char *sent;

    (void)arg;
    puts("Part 1");
    cg_gen_yield(gen, 0, &sent);
    printf("Part 2, %s\n", sent);
    cg_gen_yield(gen, 0, NULL);
    return 0;
}

int main(void)
{
    struct task task = {.tid = 1, .target = generator(foo, NULL), .send = "go on"};

    puts("Running foo()");
    task_run(&task);
    puts("Resuming foo()");
    task_run(&task);
    printf("Closing foo(): %zd\n", cg_gen_free(task.target));
    return 0;
}
