/* SPDX-License-Identifier: MIT */
/* Compares the cost of sending to a coroutine and of calling a method of an object. Both
 * are a grep that does not find its word.
 *
 *     ./benchmark [LINES]      a million lines each; the best of three rounds counts
 */
#include <cogen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../generators.h"
#include "number.h"

struct grep {
    void (*send)(struct grep *self, const char *line);
    const char *word;
    long matched;
};

static void object_send(struct grep *self, const char *line)
{
    self->matched += strstr(line, self->word) != NULL;
}

static ssize_t coroutine(struct cg_gen *gen, void *arg)
{
    struct grep *self = arg;
    const char *line;
    ssize_t sent;

    while ((sent = cg_gen_yield(gen, 0, &line)) > 0)
        self->matched += strstr(line, self->word) != NULL;
    return sent;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
    const char *line = "a line of a log";
    unsigned long lines = number(argc, argv, 1, 1000000, UINT32_MAX);
    struct grep *volatile object = &(struct grep){object_send, "yield", 0};
    struct cg_gen *gen = primed(coroutine, object);
    double called = 1e300, sent = 1e300;

    if (lines < 1)
        lines = 1;
    for (int round = 0; round < 3; round++) {
        double start = now(), middle;

        for (unsigned long i = 0; i < lines; i++)
            object->send(object, line);
        middle = now();
        for (unsigned long i = 0; i < lines; i++)
            cg_gen_send(gen, line, NULL);
        if (middle - start < called)
            called = middle - start;
        if (now() - middle < sent)
            sent = now() - middle;
    }
    printf(
        "object.send     %8.1f ns\ncoroutine.send  %8.1f ns\nratio           %8.2f\n",
        called / (double)lines, sent / (double)lines, sent / called);
    cg_gen_free(gen);
    return object->matched != 0;
}
