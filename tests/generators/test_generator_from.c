/* SPDX-License-Identifier: MIT */
/* Generators that delegate to others (cg_gen_from), to any depth: everything is passed on
 * unchanged. */
#include "config.h"

#include "tests/generators/gen_bodies.h"

#include <errno.h>

/* Yielded values, sent values, thrown errors, the close and the result pass through any
 * number of generators. */
static void delegation_is_transparent(void)
{
    const int depths[] = {1, 20, 2000};

    for (size_t i = 0; i < COUNT(depths); i++) {
        int depth = depths[i], up_to = 4;
        struct gen_log log = {.result = 1, .yields_more = 1}, closed = {.result = 1};
        struct gen_chain sends = {gen_jumps, &up_to, 1, depth};
        struct gen_chain counts = {gen_range, &up_to, 1, depth};
        struct gen_chain throws = {gen_logs, &log, 1, depth};
        struct gen_chain closes = {gen_logs, &closed, 1, depth};
        struct cg_gen *gen = gen_make(gen_delegates, &sends);
        intptr_t value;

        ck_assert_int_eq(gen_value(gen), 0);
        IS(cg_gen_send(gen, 3, &value), 1);
        ck_assert_int_eq(value, 3);
        IS(cg_gen_next(gen, NULL), 0);
        IS(sends.answer, 0);
        IS(cg_gen_free(gen), 0);

        gen = gen_make(gen_delegates, &counts);
        for (intptr_t number = 0; number < 4; number++)
            ck_assert_int_eq(gen_value(gen), number);
        IS(cg_gen_next(gen, NULL), 0);
        IS(cg_gen_result(gen), 40);
        IS(cg_gen_free(gen), 0);

        gen = gen_make(gen_delegates, &throws);
        gen_value(gen);
        IS(cg_gen_throw(gen, -EIO, &value), 1); /* the innermost handles it, and yields */
        ck_assert_int_eq(value, 101);
        IS(cg_gen_throw(gen, -EPIPE, &value), -EPIPE);
        IS(throws.answer, -EPIPE);
        IS(cg_gen_free(gen), 0);

        gen = gen_make(gen_delegates, &closes);
        gen_value(gen);
        IS(cg_gen_close(gen), 0);
        IS(closed.seen[0], -ECANCELED);
        ck_assert(closed.cleaned);
        IS(closes.answer, -ECANCELED);
        IS(cg_gen_free(gen), 0);
    }
}

/* A thrown -ECANCELED is an error like any other, not a close: the body may continue. */
static void a_thrown_cancel_is_no_close(void)
{
    struct gen_log log = {.result = 9, .yields_more = 1};
    struct gen_chain chain = {gen_logs, &log, 1, 2};
    struct cg_gen *gen = gen_make(gen_delegates, &chain);
    intptr_t value;

    gen_value(gen);
    IS(cg_gen_throw(gen, -ECANCELED, &value), 1);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_result(gen), 9);
    IS(cg_gen_free(gen), 0);
}

/* If an inner generator yields although it is closed, closing the outer ones is an error,
 * too. */
static ssize_t delegates_to(struct cg_gen *gen, void *arg)
{
    return cg_gen_from(gen, arg);
}

static void a_stubborn_one_below(void)
{
    struct gen_log log = {.result = 1, .yields_more = 1};
    struct cg_gen *sub = gen_make(gen_logs, &log), *gen = gen_make(delegates_to, sub);

    gen_value(gen);
    IS(cg_gen_close(gen), -EBUSY);
    ck_assert_int_eq(cg_gen_state(gen), CG_GEN_FINISHED);
    ck_assert_int_eq(cg_gen_state(sub), CG_GEN_SUSPENDED);
    IS(cg_gen_free(gen), 0);
    IS(cg_gen_free(sub), 0);
    ck_assert(log.cleaned);
}

static ssize_t composed(struct cg_gen *gen, void *arg)
{
    static int up_to = 2;
    struct cg_gen *sub = gen_make(gen_range, &up_to);
    ssize_t how = cg_gen_yield(gen, 'A', NULL);

    ck_assert_int_eq(gen_value(sub), 0); /* delegation continues a generator that has begun */
    if (how >= 0)
        how = cg_gen_from(gen, sub);
    *(ssize_t *)arg = how;
    IS(cg_gen_from(gen, sub), 20); /* if it has ended, its result is returned */
    cg_gen_free(sub);
    return how < 0 ? how : cg_gen_yield(gen, 'B', NULL);
}

static void delegated_and_composed(void)
{
    ssize_t answer = -1;
    struct cg_gen *gen = gen_make(composed, &answer);

    ck_assert_int_eq(gen_value(gen), 'A');
    ck_assert_int_eq(gen_value(gen), 1);
    ck_assert_int_eq(gen_value(gen), 'B');
    IS(answer, 20);
    IS(cg_gen_next(gen, NULL), 0);
    IS(cg_gen_free(gen), 0);
}

/* Yields the leaves of a tree and returns their sum, with a generator for each node. */
static ssize_t leaves(struct cg_gen *gen, void *arg)
{
    intptr_t depth = (intptr_t)arg;

    if (depth == 0)
        return cg_gen_yield(gen, 1, NULL);
    for (int i = 0; i < 2; i++) {
        struct cg_gen *sub = gen_make(leaves, (void *)(depth - 1));
        ssize_t rc = cg_gen_from(gen, sub);

        cg_gen_free(sub);
        if (rc < 0)
            return rc;
    }
    return depth;
}

static void a_generator_for_each_node(void)
{
    struct cg_gen *gen = gen_make(leaves, (void *)10);
    intptr_t sum = 0, one;

    while (cg_gen_next(gen, &one) == 1)
        sum += one;
    ck_assert_int_eq(sum, 1024);
    IS(cg_gen_result(gen), 10);
    IS(cg_gen_free(gen), 0);
    gen = gen_make(leaves, (void *)10); /* freed in the middle: all nodes are closed */
    for (int i = 0; i < 100; i++)
        gen_value(gen);
    IS(cg_gen_free(gen), 0);
}

static const struct test_case cases[] = {
    PLAIN(delegation_is_transparent, .where = ON_SIM),
    PLAIN(a_thrown_cancel_is_no_close, .where = ON_SIM),
    PLAIN(a_stubborn_one_below, .where = ON_SIM),
    PLAIN(delegated_and_composed, .where = ON_SIM),
    PLAIN(a_generator_for_each_node, .where = ON_SIM),
};

int main(void)
{
    return test_main("generator_from", cases, COUNT(cases));
}
