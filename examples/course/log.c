/* SPDX-License-Identifier: MIT */
/* See log.h. */
#include "log.h"

#include <limits.h>

static const char *from_start;
static struct log *followed;
static cg_fn *reader;

static ssize_t run(void *arg)
{
    ssize_t rc = cg_follower_open(cg_sched_self(), followed->path, &followed->follow,
                                  .from_start = from_start != NULL);

    (void)arg;
    if (rc == 0) {
        rc = reader(followed);
        cg_follower_close(followed->follow);
    }
    if (rc < 0)
        example_fail(followed->path, rc);
    return rc;
}

int log_main(struct log *log, cg_fn *fn, struct example *ex, int argc, char **argv)
{
    const char *lines = "0";
    const struct example_option options[] = {
        {"grep", "WORD", "only lines with this word", &log->word, 0},
        {"from-start", NULL, "also the lines that the file has already", &from_start, 0},
        {"lines", "N", "end after so many", &lines, 0},
        {0},
    };
    int code;

    followed = log;
    reader = fn;
    ex->operands = "FILE";
    ex->options = log->word ? options : options + 1;
    example_open(ex, argc, argv);
    if (ex->argc != 1)
        example_usage(ex, "give a file");
    log->path = ex->argv[0];
    log->lines = (long)example_number(ex, lines, 0, LONG_MAX, "N must be a number");
    if ((code = cg_sched_start(ex->sched, run, NULL, .name = "follow")) < 0)
        example_fail("start", code);
    return example_run(ex);
}
