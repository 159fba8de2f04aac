/* SPDX-License-Identifier: MIT */
/* Generators of numbers, and ways for the caller to influence them: none (yrange), a
 * variable that both use, and values that are sent, which tell where to jump
 * (jumping_range).
 *
 *     ./yrange
 */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>

#include "generators.h"

static int x; /* the variable that both use */

static ssize_t yrange(struct cg_gen *gen, void *arg)
{
    const int *n = arg;

    for (int i = 0; i < *n; i++)
        if (cg_gen_yield(gen, i + x, NULL) < 0)
            return -ECANCELED;
    return 0;
}

struct jumping_range {
    int up_to;
    const char *step; /* the last step as text, to show what happens inside */
    char text[16];
};

static ssize_t jumping_range(struct cg_gen *gen, void *arg)
{
    struct jumping_range *range = arg;
    intptr_t index = 0, jump;
    ssize_t sent;

    while (index < range->up_to) {
        if ((sent = cg_gen_yield(gen, index, &jump)) < 0)
            return sent;
        if (sent == 0) /* resumed by next, which sends nothing */
            jump = 1;
        snprintf(range->text, sizeof range->text, "%d", (int)jump);
        range->step = range->text;
        index += jump;
    }
    return 0;
}

/* Prints the generator's value and its last step. */
static void show(const struct jumping_range *range, intptr_t value)
{
    printf("%d\nstep is %s\n", (int)value, range->step);
}

int main(void)
{
    struct cg_gen *gen = generator(yrange, &(int){6});
    struct jumping_range range = {.up_to = 5, .step = "None"};
    intptr_t value;

    for (x = 1; x <= 2; x++)
        if (cg_gen_next(gen, &value) > 0)
            printf("%d\n", (int)value);
    cg_gen_free(gen);

    gen = generator(jumping_range, &range);
    cg_gen_next(gen, &value);
    show(&range, value);
    cg_gen_send(gen, 2, &value);
    show(&range, value);
    cg_gen_next(gen, &value);
    show(&range, value);
    cg_gen_send(gen, -1, &value);
    show(&range, value);
    while (cg_gen_next(gen, &value) > 0)
        printf("%d\n", (int)value);
    cg_gen_free(gen);

    /* A generator that does not use sent values ignores them. */
    x = 0;
    gen = generator(yrange, &(int){6});
    cg_gen_next(gen, &value);
    printf("%d\n", (int)value);
    cg_gen_send(gen, "anything", &value);
    printf("%d\n", (int)value);
    cg_gen_free(gen);
    return 0;
}
