/* SPDX-License-Identifier: MIT */
/* Named signals. A signal is an event, not a state: it reaches those who wait now. */
#include "config.h"

#include "lib/complete.h"

#include <string.h>

static struct cg_wait_signal_op *as_wait(struct cg_op *op)
{
    return (struct cg_wait_signal_op *)op;
}

static unsigned waiters(struct cg__names *names, struct cg_name name)
{
    struct cg_wait_signal_op *first = cg__names_find(names, name), *op = first;
    unsigned n = 0;

    if (first)
        do
            n++;
        while ((op = as_wait(op->next)) != first);
    return n;
}

/* Wakes all who wait for the name, in the order of their waiting; returns how many. */
static inline ssize_t fire_all(struct cg__names *names, struct cg_name name,
                               const void *value, bool favoured)
{
    struct cg_wait_signal_op *op;
    bool more = true;
    ssize_t n = 0;

    /* One at a time: completing an op takes others out that it raced with, and never puts any
     * in. */
    for (; more && (op = cg__names_take(names, name, &more)); n++) {
        if (op->value)
            memcpy(op->value, &value, sizeof value);
        cg__op_complete(&op->op, 0, favoured);
    }
    return n;
}

ssize_t cg__signal_fire(struct cg__names *names, struct cg_name name, const void *value,
                        bool favoured)
{
    return fire_all(names, name, value, favoured);
}

static enum cg_verdict signal_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_signal_op *signal = (struct cg_signal_op *)op, **at;
    ssize_t n;

    if (signal->recipients && waiters(&sched->names, signal->name) < signal->recipients) {
        for (at = &sched->names.signallers; *at;)
            at = (struct cg_signal_op **)&(*at)->next;
        signal->next = NULL;
        *at = signal;
        return CG_PENDING;
    }
    n = fire_all(&sched->names, signal->name, signal->value,
                 cg__prio_in(op, sched) & CG_PRIO_OP);
    if (n > 0)
        return cg__after_others(op, sched, n);
    op->result = 0;
    return CG_DONE;
}

static void unlink_signaller(struct cg__names *names, struct cg_signal_op *signal)
{
    struct cg_signal_op **at = &names->signallers;

    while (*at != signal)
        at = (struct cg_signal_op **)&(*at)->next;
    *at = (struct cg_signal_op *)signal->next;
}

static enum cg_verdict signal_cancel(struct cg_op *op, struct cg_sched *sched)
{
    unlink_signaller(&sched->names, (struct cg_signal_op *)op);
    return CG_DONE;
}

static int signal_print(const struct cg_op *op, char *buf, size_t size)
{
    return cg__name_print(((const struct cg_signal_op *)op)->name, buf, size);
}

const struct cg_op_type cg_signal_type = {
    .name = "signal",
    .flags = CG_OP_DEFAULT_TIMEOUT | CG_OP_LOCAL,
    .process = signal_process,
    .cancel = signal_cancel,
    .print = signal_print,
};

/* The oldest signaller of this name whose recipients are together now. */
static struct cg_signal_op *satisfied(struct cg__names *names, struct cg_name name)
{
    struct cg_signal_op *signal = names->signallers;

    for (; signal; signal = (struct cg_signal_op *)signal->next)
        if (cg__name_equal(signal->name, name) &&
            waiters(names, name) >= signal->recipients)
            return signal;
    return NULL;
}

/* One more waits for the name: that may be what a signaller has waited for. */
__attribute__((noinline)) static void meet(struct cg_sched *sched, struct cg_name name)
{
    struct cg_signal_op *signal = satisfied(&sched->names, name);
    unsigned prio;
    ssize_t n;

    if (signal == NULL)
        return;
    prio = cg__op_prio(&signal->op);
    unlink_signaller(&sched->names, signal);
    if (prio & CG_PRIO_CORO) /* before those that it wakes; their number is filled in below */
        cg_complete(&signal->op, 0);
    n = cg__signal_fire(&sched->names, signal->name, signal->value, prio & CG_PRIO_OP);
    if (prio & CG_PRIO_CORO)
        signal->op.result = n;
    else
        cg_complete(&signal->op, n);
}

static enum cg_verdict wait_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_wait_signal_op *wait = as_wait(op);

    cg__names_add(&sched->names, wait);
    if (sched->names.signallers)
        meet(sched, wait->name);
    return CG_PENDING;
}

static enum cg_verdict wait_cancel(struct cg_op *op, struct cg_sched *sched)
{
    cg__names_remove(&sched->names, as_wait(op));
    return CG_DONE;
}

static int wait_print(const struct cg_op *op, char *buf, size_t size)
{
    return cg__name_print(((const struct cg_wait_signal_op *)op)->name, buf, size);
}

const struct cg_op_type cg_wait_signal_type = {
    .name = "wait_signal",
    .flags = CG_OP_DEFAULT_TIMEOUT | CG_OP_LOCAL,
    .process = wait_process,
    .cancel = wait_cancel,
    .print = wait_print,
};
