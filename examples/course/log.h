/* SPDX-License-Identifier: MIT */
/* What the programs have in common that follow a log: their options, and the log. */
#ifndef EXAMPLES_COURSE_LOG_H
#define EXAMPLES_COURSE_LOG_H

#include <cogen.h>

#include "../common.h"

struct log {
    const char *path;
    const char *word; /* only lines with it are wanted */
    long lines;       /* how many; 0: no end */
    struct cg_follower *follow;
};

/* All of a program's main: reads its options and runs fn(&log), a coroutine, while
 * log.follow is open. The option --grep is there if log->word is not NULL. */
int log_main(struct log *log, cg_fn *fn, struct example *ex, int argc, char **argv);

#endif
