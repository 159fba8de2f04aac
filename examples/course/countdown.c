/* SPDX-License-Identifier: MIT */
/* The smallest generator: it counts down, one number each time that it is asked.
 *
 *     ./countdown              from 5
 *     ./countdown 3
 */
#include <cogen.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "../generators.h"
#include "number.h"

static ssize_t countdown(struct cg_gen *gen, void *arg)
{
    const int *from = arg;

    printf("Counting down from %d\n", *from);
    for (int n = *from; n > 0; n--)
        if (cg_gen_yield(gen, n, NULL) < 0)
            return -ECANCELED;
    return 0;
}

int main(int argc, char **argv)
{
    int from = (int)number(argc, argv, 1, 5, INT_MAX);
    struct cg_gen *gen = generator(countdown, &from);
    intptr_t n;

    puts("Nothing has run yet");
    while (cg_gen_next(gen, &n) > 0)
        printf("%d\n", (int)n);
    cg_gen_free(gen);
    return 0;
}
