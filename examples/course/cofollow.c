/* SPDX-License-Identifier: MIT */
/* Follows a log, as follow does, but pushes the lines: a coroutine of the scheduler
 * follows the log and sends each line to a printer.
 *
 *     ./cofollow access-log                  the lines from now on, until Ctrl-C
 *     ./cofollow --from-start --lines 10 access-log
 */
#include <cogen.h>
#include <stdio.h>

#include "../generators.h"
#include "log.h"
#include "stages.h"

static ssize_t follow(void *arg)
{
    const struct log *log = arg;
    struct cg_gen *target = primed(stage_print, "log: ");
    char line[1024];
    ssize_t rc = 0;

    for (long n = 0; log->lines == 0 || n < log->lines; n++) {
        if ((rc = cg_yield(cg_follow_line(log->follow, line, sizeof line))) < 0)
            break;
        cg_gen_send(target, line, NULL);
        fflush(stdout);
    }
    cg_gen_free(target);
    return rc;
}

int main(int argc, char **argv)
{
    struct log log = {.word = NULL};
    struct example ex = {
        .name = "cofollow",
        .about = "Sends the lines that are added to a file to a coroutine that prints them",
    };

    return log_main(&log, follow, &ex, argc, argv);
}
