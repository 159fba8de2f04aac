/* SPDX-License-Identifier: MIT */
/* Coroutines without their own stacks cannot call each other. Instead, one yields the
 * other to a loop, the trampoline, which runs it and sends its result back to the first.
 * (Coroutines of cogen have stacks, and simply call; see pyos 8 and cg_call.)
 *
 *     ./trampoline             prints 4
 */
#include <cogen.h>
#include <stdio.h>

#include "../generators.h"

struct pair {
    intptr_t x, y;
};

/* What both kinds of coroutine yield: a caller the coroutine to call, a subroutine its
 * result. */
struct bounce {
    struct cg_gen *call; /* NULL: `result` is valid */
    intptr_t result;
};

static ssize_t add(struct cg_gen *gen, void *arg)
{
    const struct pair *pair = arg;

    cg_gen_yield(gen, (&(struct bounce){.result = pair->x + pair->y}), NULL);
    return 0;
}

static ssize_t begin(struct cg_gen *gen, void *arg)
{
    struct cg_gen *sub = generator(add, &(struct pair){2, 2});
    intptr_t sum;

    (void)arg;
    if (cg_gen_yield(gen, &(struct bounce){.call = sub}, &sum) > 0)
        printf("%d\n", (int)sum);
    cg_gen_free(sub);
    return 0;
}

int main(void)
{
    struct cg_gen *m = generator(begin, NULL);
    const struct bounce *bounce, *answer;
    ssize_t more = cg_gen_next(m, &bounce);

    while (more > 0 && cg_gen_next(bounce->call, &answer) > 0)
        more = cg_gen_send(m, answer->result, &bounce);
    cg_gen_free(m);
    return 0;
}
