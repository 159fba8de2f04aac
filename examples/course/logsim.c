/* SPDX-License-Identifier: MIT */
/* A simulated web server: it appends a line to a log now and then, for the programs that
 * follow a log.
 *
 *     ./logsim access-log                        until Ctrl-C
 *     ./logsim --lines 20 --pause 0.01 access-log
 */
#include <cogen.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../common.h"
#include "stages.h"

struct logsim {
    const char *path;
    long lines; /* how many; 0: no end */
    int64_t pause;
};

static ssize_t logsim(void *arg)
{
    const struct logsim *sim = arg;
    FILE *sample = fopen(EXAMPLES_DATA "/access-log", "r"),
         *log = fopen(sim->path, "a");
    unsigned chance = 1;
    char line[1024];
    ssize_t rc = sample && log ? 0 : -errno;

    for (long n = 0; rc >= 0 && (sim->lines == 0 || n < sim->lines); n++) {
        while (!fgets(line, sizeof line, sample))
            rewind(sample);
        fputs(line, log);
        fflush(log);
        /* Half to one and a half times the pause. */
        chance = chance * 1103515245 + 12345;
        rc = cg_yield(
            cg_sleep(sim->pause / 2 + sim->pause * (chance >> 16 & 255) / 256));
    }
    if (sample)
        fclose(sample);
    if (log)
        fclose(log);
    if (rc < 0)
        example_fail(sim->path, rc);
    return rc;
}

int main(int argc, char **argv)
{
    const char *lines = "0", *pause = "0.2";
    const struct example_option options[] = {
        {"lines", "N", "how many", &lines, 0},
        {"pause", "SECONDS", "between two of them, about", &pause, 0},
        {0},
    };
    struct example ex = {
        .name = "logsim",
        .about = "Appends lines to a log as a web server would",
        .operands = "FILE",
        .options = options,
    };
    struct logsim sim;
    int code;

    example_open(&ex, argc, argv);
    if (ex.argc != 1)
        example_usage(&ex, "give a file");
    sim = (struct logsim){
        ex.argv[0], (long)example_number(&ex, lines, 0, LONG_MAX, "N must be a number"),
        example_seconds(&ex, pause)};
    if ((code = cg_sched_start(ex.sched, logsim, &sim, .name = "logsim")) < 0)
        example_fail("start", code);
    return example_run(&ex);
}
