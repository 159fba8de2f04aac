/* SPDX-License-Identifier: MIT */
/* The bare context switch, in ns:
 *   switch-two-way            two switches: from one context to another and back
 *   switch-round-robin-10000  one switch, of those between a loop and 10,000 contexts in turn
 *   stack-get-put             taking a stack from the pool and returning it
 * Each figure is the best of several rounds. The bench measures internals, so it is the
 * only one that includes headers of lib/. */
#include "config.h"

#include "lib/stacks/context.h"
#include "lib/stacks/stack.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    CONTEXTS = 10000,
    ROUNDS = 7,
    PAIRS = 2000000,
    TURNS = 50,
    GETS = 1000000
};

/* Lies in the top page of its stack, like struct cg_coro. */
struct ctx {
    struct cg_context ctx;
    char rest[300];
};

static struct cg_context here;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

_Noreturn static void *back(void *arg)
{
    struct ctx *self = arg;

    for (;;)
        cg__context_switch(&self->ctx, &here);
}

static struct ctx *ctx_new(struct cg_stacks *stacks)
{
    void *low;
    struct ctx *c = cg__stack_get(stacks, CG__STACK_DEFAULT, sizeof *c, &low);

    if (c == NULL) {
        fprintf(stderr, "switch: no memory for stacks\n");
        exit(1);
    }
    cg__context_make(&c->ctx, low, c, back, c);
    return c;
}

static double two_way(struct cg_stacks *stacks)
{
    struct ctx *c = ctx_new(stacks);
    double best = 1e9;

    for (int round = 0; round < ROUNDS; round++) {
        double start = now(), ns;

        for (int i = 0; i < PAIRS; i++)
            cg__context_switch(&here, &c->ctx);
        ns = (now() - start) / PAIRS;
        best = ns < best ? ns : best;
    }
    return best;
}

static double round_robin(struct cg_stacks *stacks)
{
    static struct ctx *all[CONTEXTS];
    double best = 1e9;

    for (int i = 0; i < CONTEXTS; i++)
        all[i] = ctx_new(stacks);
    for (int round = 0; round < ROUNDS; round++) {
        double start = now(), ns;

        for (int turn = 0; turn < TURNS; turn++)
            for (int i = 0; i < CONTEXTS; i++)
                cg__context_switch(&here, &all[i]->ctx);
        ns = (now() - start) / (2.0 * TURNS * CONTEXTS);
        best = ns < best ? ns : best;
    }
    return best;
}

static double get_put(struct cg_stacks *stacks)
{
    double best = 1e9;

    for (int round = 0; round < ROUNDS; round++) {
        double start = now(), ns;
        void *low;

        for (int i = 0; i < GETS; i++)
            cg__stack_put(stacks, cg__stack_get(stacks, CG__STACK_DEFAULT, 512, &low));
        ns = (now() - start) / GETS;
        best = ns < best ? ns : best;
    }
    return best;
}

int main(void)
{
    struct cg_stacks *stacks = cg__stack_pool_new();

    if (stacks == NULL)
        return 1;
    cg__context_adopt(&here);
    printf("switch-two-way %.2f ns\n", two_way(stacks));
    printf("stack-get-put %.2f ns\n", get_put(stacks));
    printf("switch-round-robin-%d %.2f ns\n", CONTEXTS, round_robin(stacks));
    cg__stack_pool_free(stacks);
    return 0;
}
