/* SPDX-License-Identifier: MIT */
/* Subjects that consist of other operations: any and all of two queues, and an operation of
 * the test whose cancel takes time. */
#include "tests/pairs/pairs.h"

struct nested {
    struct world w;
    struct cg_queue *queues[2];
    struct cg_get_op gets[2];
    intptr_t items[2];
    struct cg_op *ops[3];
};

static void nested_open(struct world *w)
{
    struct nested *n = (struct nested *)w;

    for (size_t i = 0; i < 2; i++)
        n->queues[i] = cg_queue_new();
}

static void nested_close(struct world *w)
{
    struct nested *n = (struct nested *)w;

    for (size_t i = 0; i < 2; i++)
        cg_queue_free(n->queues[i]);
}

static struct cg_op *build(struct nested *n, struct cg_op *op)
{
    for (size_t i = 0; i < 2; i++) {
        struct cg_op *get = cg_get(n->queues[i], &n->items[i]);

        n->gets[i] = *(struct cg_get_op *)(void *)get;
        n->ops[i] = &n->gets[i].op;
        n->items[i] = -1;
    }
    ((struct cg_any_op *)(void *)op)->ops = n->ops;
    return op;
}

static struct cg_op *any_op(struct world *w)
{
    struct cg_op *op = KEEP(w, cg_any_op, cg_any((NULL)));

    return build((struct nested *)w, op);
}

static struct cg_op *all_op(struct world *w)
{
    struct cg_op *op = KEEP(w, cg_any_op, cg_all((NULL)));

    return build((struct nested *)w, op);
}

static void any_cause(struct world *w)
{
    IS(cg_queue_try_put(((struct nested *)w)->queues[w->slot],
                        (void *)(w->caused * 10)),
       0);
}

static void all_cause(struct world *w)
{
    struct nested *n = (struct nested *)w;

    for (size_t i = 0; i < 2; i++)
        IS(cg_queue_try_put(n->queues[i], (void *)(w->caused * 10)), 0);
}

/* Each item was taken by a branch that says so, or is still in its queue. In any at most
 * one branch takes an item. */
static void nested_check(struct world *w, ssize_t answer)
{
    struct nested *n = (struct nested *)w;
    bool both = w->subject->cause == all_cause;
    size_t got = 0;

    for (size_t i = 0; i < 2; i++) {
        bool has = cg_op_result(n->ops[i]) == 0;

        if (!has)
            HOLDS(pairs_lost(cg_op_result(n->ops[i])));
        got += has;
        IS(n->items[i], has ? 10 : -1);
        if (both || i == w->slot)
            IS((ssize_t)cg_queue_len(n->queues[i]), (ssize_t)w->caused - has);
    }
    if (!pairs_lost(answer))
        HOLDS(got == (both ? 2 : 1));
    else if (!both)
        HOLDS(got == 0);
}

/* An operation of the test */

struct counter {
    struct world w;
    size_t units;
    struct cg_op *waiter;
    struct cg_deferred letting_go;
};

struct count_op {
    CG_OP_HEAD;
    struct counter *counter;
};

static enum cg_verdict count_process(struct cg_op *op, struct cg_sched *sched)
{
    struct counter *c = ((struct count_op *)(void *)op)->counter;

    (void)sched;
    if (c->units) {
        c->units--;
        op->result = 0;
        return CG_DONE;
    }
    c->waiter = op;
    return CG_PENDING;
}

static void let_go(struct cg_deferred *deferred)
{
    struct counter *c =
        (struct counter *)(void *)((char *)deferred -
                                   offsetof(struct counter, letting_go));
    struct cg_op *op = c->waiter;

    c->waiter = NULL;
    cg_op_complete(op, 0);
}

static enum cg_verdict count_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct counter *c = ((struct count_op *)(void *)op)->counter;

    c->letting_go.fn = let_go;
    cg_sched_defer(sched, &c->letting_go);
    return CG_PENDING;
}

static const struct cg_op_type count_type = {
    .name = "count",
    .process = count_process,
    .cancel = count_cancel,
};

static struct cg_op *count_op(struct world *w)
{
    struct cg_op *op = CG_OP(count, .counter = (struct counter *)w);

    return KEEP(w, count_op, op);
}

static void counter_cause(struct world *w)
{
    struct counter *c = (struct counter *)w;
    struct cg_op *op = c->waiter;

    if (op && op->state == CG_OP_PENDING) {
        c->waiter = NULL;
        cg_op_complete(op, 0);
    } else
        c->units++;
}

static void counter_got(struct world *w, ssize_t answer)
{
    IS(answer, 0);
    HOLDS(((struct counter *)w)->units == 0);
}

static void nothing(struct world *w)
{
    (void)w;
}

static const struct subject subjects[] = {
    {"any", .size = sizeof(struct nested), .open = nested_open, .op = any_op,
     .cause = any_cause, .check = nested_check, .close = nested_close},
    {"all", .size = sizeof(struct nested), .open = nested_open, .op = all_op,
     .cause = all_cause, .check = nested_check, .close = nested_close},
    {"own", .size = sizeof(struct counter), .open = nothing, .op = count_op,
     .cause = counter_cause, .got = counter_got, .close = nothing},
};

const struct family pairs_nested = {subjects, COUNT(subjects)};
