/* SPDX-License-Identifier: MIT */
/* A coroutine that receives and yields values: it yields the smallest value that was sent
 * to it so far.
 *
 *     ./minimize               sends 10, 4, 22, -1 and prints 10, 4, 4, -1
 *     ./minimize NUMBER...
 */
#include <cogen.h>
#include <stdio.h>
#include <stdlib.h>

#include "generators.h"

static ssize_t minimize(struct cg_gen *gen, void *arg)
{
    intptr_t current, value;
    ssize_t sent = cg_gen_yield(gen, 0, &current);

    (void)arg;
    while (sent > 0 && (sent = cg_gen_yield(gen, current, &value)) > 0)
        if (value < current)
            current = value;
    return sent;
}

static ssize_t received(struct cg_gen *gen, void *arg)
{
    const char *value;

    (void)arg;
    while (cg_gen_yield(gen, 0, &value) > 0)
        printf("Received: %s\n", value);
    return 0;
}

int main(int argc, char **argv)
{
    char *sample[] = {"10", "4", "22", "-1"};
    char **numbers = argc > 1 ? argv + 1 : sample;
    int count = argc > 1 ? argc - 1 : 4;
    struct cg_gen *it = primed(received, NULL);
    intptr_t least;

    cg_gen_send(it, "First", NULL);
    cg_gen_send(it, "Second", NULL);
    cg_gen_free(it);

    it = primed(minimize, NULL);
    for (int i = 0; i < count; i++)
        if (cg_gen_send(it, strtol(numbers[i], NULL, 10), &least) > 0)
            printf("%d\n", (int)least);
    cg_gen_free(it);
    return 0;
}
