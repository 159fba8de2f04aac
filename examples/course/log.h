/* SPDX-License-Identifier: MIT */
/* Shared by the programs that follow a log: their options, and the log. */
#ifndef EXAMPLES_COURSE_LOG_H
#define EXAMPLES_COURSE_LOG_H

#include <cogen.h>

#include "../common.h"

struct log {
    const char *path;
    const char *word; /* print only lines with this word */
    long lines;       /* how many; 0: no end */
    struct cg_follower *follow;
};

/* The whole main of such a program: reads the options, opens log->follow, and runs the
 * coroutine fn(log). There is an option --grep if log->word is not NULL. */
int log_main(struct log *log, cg_fn *fn, struct example *ex, int argc, char **argv);

#endif
