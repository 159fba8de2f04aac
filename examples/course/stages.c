/* SPDX-License-Identifier: MIT */
/* See stages.h. */
#include "stages.h"

#include <stdlib.h>
#include <string.h>

ssize_t stage_print(struct cg_gen *gen, void *arg)
{
    const char *before = arg ? arg : "", *line;
    ssize_t sent;

    while ((sent = cg_gen_yield(gen, 0, &line)) > 0)
        printf("%s%s", before, line);
    return sent;
}

ssize_t stage_grep(struct cg_gen *gen, void *arg)
{
    const struct stage_grep *grep = arg;
    const char *line;
    ssize_t sent;

    while ((sent = cg_gen_yield(gen, 0, &line)) > 0)
        if (strstr(line, grep->word))
            cg_gen_send(grep->target, line, NULL);
    cg_gen_close(grep->target);
    return sent;
}

ssize_t stage_broadcast(struct cg_gen *gen, void *arg)
{
    struct cg_gen **targets = arg;
    const char *line;
    ssize_t sent;

    while ((sent = cg_gen_yield(gen, 0, &line)) > 0)
        for (struct cg_gen **target = targets; *target; target++)
            cg_gen_send(*target, line, NULL);
    for (struct cg_gen **target = targets; *target; target++)
        cg_gen_close(*target);
    return sent;
}

void stage_feed(FILE *file, struct cg_gen *target)
{
    char line[1024];

    while (fgets(line, sizeof line, file) && cg_gen_send(target, line, NULL) > 0)
        ;
    cg_gen_close(target);
}

FILE *stage_open(int argc, char **argv, const char *sample)
{
    const char *name = argc > 1 ? argv[1] : sample;
    FILE *file = fopen(name, "r");

    if (!file) {
        perror(name);
        exit(1);
    }
    return file;
}
