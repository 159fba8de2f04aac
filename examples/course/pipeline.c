/* SPDX-License-Identifier: MIT */
/* A pipeline of generators that is driven by its end: the printer asks the filter for a
 * line, and the filter asks the reader. Compare copipe, where the lines are pushed.
 *
 *     ./pipeline [LOG]         the lines with "python" in them
 */
#include <cogen.h>
#include <errno.h>
#include <string.h>

#include "../generators.h"
#include "stages.h"

static ssize_t lines(struct cg_gen *gen, void *arg)
{
    char line[1024];

    while (fgets(line, sizeof line, arg))
        if (cg_gen_yield(gen, line, NULL) < 0)
            return -ECANCELED;
    return 0;
}

static ssize_t grep(struct cg_gen *gen, void *arg)
{
    struct cg_gen *source = arg;
    const char *line;

    while (cg_gen_next(source, &line) > 0)
        if (strstr(line, "python") && cg_gen_yield(gen, line, NULL) < 0)
            return -ECANCELED;
    return 0;
}

int main(int argc, char **argv)
{
    FILE *log = stage_open(argc, argv, EXAMPLES_DATA "/access-log");
    struct cg_gen *source = generator(lines, log), *filter = generator(grep, source);
    const char *line;

    while (cg_gen_next(filter, &line) > 0)
        fputs(line, stdout);
    cg_gen_free(filter);
    cg_gen_free(source);
    fclose(log);
    return 0;
}
