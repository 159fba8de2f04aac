/* SPDX-License-Identifier: MIT */
/* The operating system, steps 2 and 3: a scheduler in twenty lines, which runs each task
 * to its next yield, in turn. It fails as soon as a task ends, unless it looks for that.
 *
 *     ./pyos2                  three rounds of two tasks that never end
 *     ./pyos2 --crash          taskcrash: one ends, and the scheduler with it; exits with 1
 *     ./pyos2 --handled        step 3: one ends, the other continues
 */
#include <cogen.h>
#include <stdio.h>
#include <string.h>

#include "../generators.h"

struct task {
    const char *name;
    int rounds;
    struct cg_gen *target;
};

static ssize_t say(struct cg_gen *gen, void *arg)
{
    const struct task *task = arg;

    for (int i = 0; i < task->rounds; i++) {
        printf("I'm %s\n", task->name);
        if (cg_gen_yield(gen, 0, NULL) < 0)
            break;
    }
    return 0;
}

/* Runs the tasks in turn, at most `rounds` times. False: a task has ended, and the
 * scheduler does not handle that. */
static bool mainloop(struct task *tasks, int count, int rounds, bool handled)
{
    while (count > 0 && rounds-- > 0)
        for (int i = 0; i < count; i++) {
            if (cg_gen_next(tasks[i].target, NULL) > 0)
                continue;
            printf("Task %s terminated\n", tasks[i].name);
            cg_gen_free(tasks[i].target);
            if (!handled) {
                tasks[i].target = NULL;
                return false;
            }
            memmove(&tasks[i], &tasks[i + 1], (--count - i) * sizeof *tasks);
            i--;
        }
    for (int i = 0; i < count; i++)
        cg_gen_free(tasks[i].target);
    return true;
}

int main(int argc, char **argv)
{
    const char *option = argc > 1 ? argv[1] : "";
    bool crash = strcmp(option, "--crash") == 0,
         handled = strcmp(option, "--handled") == 0;
    struct task tasks[] = {{"foo", crash || handled ? 2 : 100, NULL},
                           {"bar", handled ? 4 : 100, NULL}};
    /* mainloop moves the tasks when one ends, so the generators get pointers to copies. */
    struct task given[] = {tasks[0], tasks[1]};

    for (int i = 0; i < 2; i++)
        tasks[i].target = generator(say, &given[i]);
    if (mainloop(tasks, 2, crash || handled ? 10 : 3, handled))
        return 0;
    puts("and the scheduler, too");
    for (int i = 0; i < 2; i++)
        cg_gen_free(tasks[i].target);
    return 1;
}
