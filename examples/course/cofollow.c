/* SPDX-License-Identifier: MIT */
/* The same log, pushed: a coroutine of the scheduler follows it and sends each line into a
 * printer. Compare follow, where the lines are pulled.
 *
 *     ./cofollow access-log                  what comes from now on, until Ctrl-C
 *     ./cofollow --from-start --lines 10 access-log
 */
#include <cogen.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common.h"
#include "../generators.h"
#include "stages.h"

struct following {
    const char *path, *from_start;
    long lines; /* how many to send; 0: no end */
    struct cg_gen *target;
};

static ssize_t follow(void *arg)
{
    const struct following *f = arg;
    struct cg_follow *log;
    char line[1024];
    ssize_t rc = cg_follow_open(cg_sched_self(), f->path, &log,
                                .from_start = f->from_start != NULL);

    if (rc < 0) {
        example_fail(f->path, rc);
        return rc;
    }
    for (long n = 0; f->lines == 0 || n < f->lines; n++) {
        if ((rc = cg_yield(cg_follow_line(log, line, sizeof line))) < 0)
            break;
        cg_gen_send(f->target, line, NULL);
        fflush(stdout);
    }
    if (rc < 0)
        example_fail(f->path, rc);
    cg_follow_close(log);
    return rc;
}

int main(int argc, char **argv)
{
    const char *lines = "0";
    struct following following = {.path = NULL};
    const struct example_option options[] = {
        {"from-start", NULL, "what is there already, too", &following.from_start, 0},
        {"lines", "N", "end after so many", &lines, 0},
        {0},
    };
    struct example ex = {
        .name = "cofollow",
        .about = "Sends what is added to a file into a coroutine that prints it",
        .operands = "FILE",
        .options = options,
    };
    int code;

    example_open(&ex, argc, argv);
    if (ex.argc != 1)
        example_usage(&ex, "a file is wanted");
    following.path = ex.argv[0];
    following.lines = atol(lines);
    following.target = primed(stage_print, "log: ");
    if ((code = cg_start(ex.sched, follow, &following, .name = "follow")) < 0)
        example_fail("start", code);
    code = example_run(&ex);
    cg_gen_free(following.target);
    return code;
}
