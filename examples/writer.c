/* SPDX-License-Identifier: MIT */
/* A writer that receives its values through a filter, in two ways. The first filter passes
 * on each value and each reply itself. The second delegates to the writer, which does all
 * of that (and passes on errors and close) in one call. Both print the first yielded
 * value, the values that the writer received, and its replies.
 *
 *     ./writer
 */
#include <cogen.h>
#include <stdio.h>

#include "generators.h"

/* Yields a text, and receives a number that says which letter is next. */
static ssize_t writer(struct cg_gen *gen, void *arg)
{
    char text[2] = "a";
    intptr_t number;
    ssize_t sent;

    (void)arg;
    while ((sent = cg_gen_yield(gen, text, &number)) > 0) {
        text[0] = (char)('a' + number);
        printf(">> %d\n", (int)number);
    }
    return sent;
}

static ssize_t filter_by_hand(struct cg_gen *gen, void *arg)
{
    struct cg_gen *coro = arg;
    const char *answer = "hello";
    void *value;
    ssize_t sent;

    cg_gen_next(coro, NULL);
    while ((sent = cg_gen_yield(gen, answer, &value)) > 0)
        if (cg_gen_send(coro, value, &answer) <= 0)
            break;
    return sent;
}

static ssize_t filter_by_delegation(struct cg_gen *gen, void *arg)
{
    return cg_gen_from(gen, arg);
}

static void run(cg_gen_fn *filter)
{
    struct cg_gen *g = generator(writer, NULL), *f = generator(filter, g);
    const char *text;

    if (cg_gen_next(f, &text) > 0)
        puts(text);
    if (cg_gen_send(f, 7, &text) > 0)
        puts(text);
    cg_gen_free(f);
    cg_gen_free(g);
}

int main(void)
{
    run(filter_by_hand);
    run(filter_by_delegation);
    return 0;
}
