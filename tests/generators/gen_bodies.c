/* SPDX-License-Identifier: MIT */
/* See gen_bodies.h. */
#include "config.h"

#include "tests/generators/gen_bodies.h"

struct cg_gen *gen_make(cg_gen_fn *fn, void *arg)
{
    struct cg_gen *gen = cg_gen_new(fn, arg);

    ck_assert_ptr_nonnull(gen);
    return gen;
}

intptr_t gen_value(struct cg_gen *gen)
{
    intptr_t value = -1;

    IS(cg_gen_next(gen, &value), 1);
    return value;
}

ssize_t gen_range(struct cg_gen *gen, void *arg)
{
    intptr_t up_to = *(int *)arg;

    for (intptr_t i = 0; i < up_to; i++)
        if (cg_gen_yield(gen, i, NULL) < 0)
            break;
    return up_to * 10;
}

ssize_t gen_jumps(struct cg_gen *gen, void *arg)
{
    intptr_t index = 0, jump;
    ssize_t how;

    while (index < *(int *)arg) {
        if ((how = cg_gen_yield(gen, index, &jump)) < 0)
            return how;
        if (how == 0)
            ck_assert_int_eq(jump, 0);
        index += how == 1 ? jump : 1;
    }
    return 0;
}

ssize_t gen_logs(struct cg_gen *gen, void *arg)
{
    struct gen_log *log = arg;
    ssize_t how = 0;

    while (how >= 0)
        how = cg_gen_yield(gen, log->n, NULL);
    log->seen[log->n++] = how;
    while (log->yields_more-- > 0) {
        how = cg_gen_yield(gen, 100 + log->n, NULL);
        log->seen[log->n++] = how;
    }
    log->cleaned = true;
    return log->result == 1 ? how : log->result;
}

ssize_t gen_delegates(struct cg_gen *gen, void *arg)
{
    struct gen_chain *chain = arg, below = *chain;
    struct cg_gen *sub;

    below.depth--;
    sub = chain->depth > 1 ? gen_make(gen_delegates, &below)
                           : gen_make(chain->fn, chain->arg);
    chain->answer = cg_gen_from(gen, sub);
    ck_assert_int_eq(cg_gen_state(sub), CG_GEN_FINISHED);
    IS(cg_gen_free(sub), 0);
    return chain->answer;
}
