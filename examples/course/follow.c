/* SPDX-License-Identifier: MIT */
/* The lines of a growing log, as `tail -F` has them, from a generator. Its body yields an
 * operation where it must wait for a line, and a value where it has one: run by a coroutine,
 * a generator can do both. With a second generator behind it, a pipeline that never ends.
 *
 *     ./logsim access-log &
 *     ./follow access-log                    what comes from now on, until Ctrl-C
 *     ./follow --grep python access-log
 *     ./follow --from-start --lines 10 access-log
 */
#include <cogen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common.h"
#include "../generators.h"

struct following {
    const char *path, *word, *from_start;
    long lines; /* how many to print; 0: no end */
};

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
    const struct following *f = arg;
    struct cg_follow *log;
    ssize_t rc = cg_follow_open(cg_sched_self(), f->path, &log,
                                .from_start = f->from_start != NULL);
    struct filter filter = {.word = f->word};
    struct cg_gen *lines;
    const char *line;

    if (rc < 0) {
        example_fail(f->path, rc);
        return rc;
    }
    filter.source = generator(follow, log);
    lines = generator(grep, &filter);
    for (long n = 0; (f->lines == 0 || n < f->lines); n++) {
        if ((rc = cg_gen_next(lines, &line)) <= 0)
            break;
        fputs(line, stdout);
        fflush(stdout);
    }
    if (rc < 0)
        example_fail(f->path, rc);
    cg_gen_free(lines);
    cg_gen_free(filter.source);
    cg_follow_close(log);
    return rc;
}

int main(int argc, char **argv)
{
    const char *lines = "0";
    struct following following = {.word = ""};
    const struct example_option options[] = {
        {"grep", "WORD", "only lines with this word", &following.word, 0},
        {"from-start", NULL, "what is there already, too", &following.from_start, 0},
        {"lines", "N", "end after so many", &lines, 0},
        {0},
    };
    struct example ex = {
        .name = "follow",
        .about = "Prints what is added to a file",
        .operands = "FILE",
        .options = options,
    };
    int code;

    example_open(&ex, argc, argv);
    if (ex.argc != 1)
        example_usage(&ex, "a file is wanted");
    following.path = ex.argv[0];
    following.lines = atol(lines);
    if ((code = cg_start(ex.sched, print, &following, .name = "follow")) < 0)
        example_fail("start", code);
    return example_run(&ex);
}
