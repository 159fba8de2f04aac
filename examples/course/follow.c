/* SPDX-License-Identifier: MIT */
/* Follows a growing log as `tail -F` does, by a generator. Its body yields an operation
 * where it must wait for a line, and a value where it has a line: a generator that a
 * coroutine runs can do both. With --grep, a second generator filters the lines of the
 * first: a pipeline that never ends.
 *
 *     ./logsim access-log &
 *     ./follow access-log                    the lines from now on, until Ctrl-C
 *     ./follow --grep python access-log
 *     ./follow --from-start --lines 10 access-log
 */
#include <cogen.h>
#include <stdio.h>
#include <string.h>

#include "../generators.h"
#include "log.h"

static ssize_t follow(struct cg_gen *gen, void *arg)
{
    char line[1024];
    ssize_t n;

    while ((n = cg_yield(cg_follow_line(arg, line, sizeof line))) >= 0)
        if ((n = cg_gen_yield(gen, line, NULL)) < 0)
            break;
    return n;
}

struct filter {
    struct cg_gen *source;
    const char *word;
};

static ssize_t grep(struct cg_gen *gen, void *arg)
{
    const struct filter *filter = arg;
    const char *line;
    ssize_t more, rc;

    while ((more = cg_gen_next(filter->source, &line)) > 0)
        if (strstr(line, filter->word) && (rc = cg_gen_yield(gen, line, NULL)) < 0)
            return rc;
    return more;
}

static ssize_t print(void *arg)
{
    const struct log *log = arg;
    struct filter filter = {generator(follow, log->follow), log->word};
    struct cg_gen *lines = generator(grep, &filter);
    const char *line;
    ssize_t rc = 0;

    for (long n = 0; log->lines == 0 || n < log->lines; n++) {
        if ((rc = cg_gen_next(lines, &line)) <= 0)
            break;
        fputs(line, stdout);
        fflush(stdout);
    }
    cg_gen_free(lines);
    cg_gen_free(filter.source);
    return rc;
}

int main(int argc, char **argv)
{
    struct log log = {.word = ""};
    struct example ex = {
        .name = "follow",
        .about = "Prints the lines that are added to a file",
    };

    return log_main(&log, print, &ex, argc, argv);
}
