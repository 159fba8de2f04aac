/* SPDX-License-Identifier: MIT */
/* Generators that delegate to generators: the inner one yields values through the outer
 * one, and returns a value to it.
 *
 *     ./delegated              prints ['A', 1, 2, 'B'], then [1, 8], then 1
 */
#include <cogen.h>
#include <stdio.h>

#include "generators.h"

/* The values are strings here, so that 'A' and 1 fit in one list. */
static ssize_t one_two(struct cg_gen *gen, void *arg)
{
    (void)arg;
    cg_gen_yield(gen, "1", NULL);
    cg_gen_yield(gen, "2", NULL);
    return 0;
}

static ssize_t composed(struct cg_gen *gen, void *arg)
{
    ssize_t rc;

    cg_gen_yield(gen, "'A'", NULL);
    rc = cg_gen_from(gen, arg);
    cg_gen_yield(gen, "'B'", NULL);
    return rc;
}

/* Returns a value, which the delegation returns. */
static ssize_t one_return_two(struct cg_gen *gen, void *arg)
{
    (void)arg;
    cg_gen_yield(gen, "1", NULL);
    return 2;
}

static ssize_t times_four(struct cg_gen *gen, void *arg)
{
    ssize_t output = cg_gen_from(gen, arg);
    char text[24];

    snprintf(text, sizeof text, "%zd", output * 4);
    cg_gen_yield(gen, text, NULL);
    return 0;
}

/* Returns without a yield. */
static ssize_t at_once(struct cg_gen *gen, void *arg)
{
    (void)gen;
    (void)arg;
    return 1;
}

static ssize_t print_result(struct cg_gen *gen, void *arg)
{
    printf("%zd\n", cg_gen_from(gen, arg));
    return 0;
}

/* Prints a generator as the list of its values. */
static void print_list(cg_gen_fn *outer, cg_gen_fn *inner)
{
    struct cg_gen *sub = generator(inner, NULL), *gen = generator(outer, sub);
    const char *value, *before = "[";

    for (; cg_gen_next(gen, &value) > 0; before = ", ")
        printf("%s%s", before, value);
    puts("]");
    cg_gen_free(gen);
    cg_gen_free(sub);
}

int main(void)
{
    struct cg_gen *sub = generator(at_once, NULL), *gen = generator(print_result, sub);

    print_list(composed, one_two);
    print_list(times_four, one_return_two);
    cg_gen_next(gen, NULL);
    cg_gen_free(gen);
    cg_gen_free(sub);
    return 0;
}
