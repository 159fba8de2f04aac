/* SPDX-License-Identifier: MIT */
/* The operations that only pause: pass, sleep, suspend and its counterpart activate. */
#include "config.h"

#include "lib/core/sched.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

static enum cg_verdict pass_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    if (op->branch) { /* as a branch it completes at once */
        op->result = 0;
        return CG_DONE;
    }

    struct cg_coro *coro = op->owner;

    op->state = CG_OP_IDLE;
    op->result = 0;
    coro->op = NULL;
    cg__sched_ready(sched, coro, false); /* at the tail, whatever the priority */
    return CG_PENDING;
}

const struct cg_op_type cg_pass_type = {
    .name = "pass",
    .process = pass_process,
};

/* The moment at which a sleep with slack ends. It is the last multiple, within the slack,
 * of the largest power of two that is not longer than the slack. So sleeps with slack end
 * at the same moments, and share a wake-up. */
static int64_t gathered(int64_t moment, int64_t slack)
{
    int64_t most = CG__MOMENT_MAX - moment;
    int shift;

    slack = slack < most ? slack : most;
    if (slack <= 0)
        return moment;
    shift = 63 - __builtin_clzll(slack);
    return (moment + slack) >> shift << shift;
}

/* A sleep is an operation that does nothing until its time is up. */
static enum cg_verdict sleep_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_sleep_op *sleep = (struct cg_sleep_op *)op;

    if (sleep->slack < 0 || (sleep->until == 0 && sleep->length < 0)) {
        op->result = -EINVAL;
        return CG_DONE;
    }
    if (sleep->until == 0 && sleep->length == 0)
        return pass_process(op, sched);

    int64_t now = cg__sched_clock(sched), until = sleep->until;

    if (until == 0)
        until = sleep->length < CG__MOMENT_MAX - now ? now + sleep->length : CG__MOMENT_MAX;
    sleep->wake = until;
    cg_op_expire_at(op, until > now ? gathered(until, sleep->slack) : until);
    return CG_PENDING;
}

static ssize_t sleep_finish(struct cg_op *op)
{
    struct cg_sleep_op *sleep = (struct cg_sleep_op *)op;

    if (op->result == -ETIMEDOUT && sleep->wake && (int64_t)op->timer.expiry >= sleep->wake)
        return 0;
    return op->result;
}

/* Prints a time in seconds, from whole milliseconds: "%f" would write the decimal point of
 * the locale. */
static int print_seconds(char *buf, size_t size, const char *before, int64_t ns)
{
    uint64_t ms = (uint64_t)(ns < 0 ? -(ns / CG_MILLISECOND) : ns / CG_MILLISECOND);

    return snprintf(buf, size, "%s%s%" PRIu64 ".%03" PRIu64 " s", before, ns < 0 ? "-" : "",
                    ms / 1000, ms % 1000);
}

static int sleep_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_sleep_op *sleep = (const struct cg_sleep_op *)op;

    if (sleep->length == CG_NEVER || sleep->until == CG_NEVER)
        return snprintf(buf, size, "forever");
    if (sleep->until)
        return print_seconds(buf, size, "until ", sleep->until);
    return print_seconds(buf, size, "", sleep->length);
}

const struct cg_op_type cg_sleep_type = {
    .name = "sleep",
    .process = sleep_process,
    .finish = sleep_finish,
    .print = sleep_print,
};

static enum cg_verdict suspend_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_coro *coro = cg_op_coro(op);

    (void)sched;
    if (coro->suspend) {
        op->result = -EBUSY;
        return CG_DONE;
    }
    if (coro->activated) {
        coro->activated = false;
        op->result = coro->activation;
        return CG_DONE;
    }
    coro->suspend = op;
    return CG_PENDING;
}

static enum cg_verdict suspend_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg_op_coro(op)->suspend = NULL;
    return CG_DONE;
}

const struct cg_op_type cg_suspend_type = {
    .name = "suspend",
    .flags = CG_OP_LOCAL,
    .process = suspend_process,
    .cancel = suspend_cancel,
};

/* Takes the pending suspend op of a coroutine, for an activation to complete. NULL:
 * there is none; then the activation is remembered, or *rc tells why it cannot be. */
static struct cg_op *activate(struct cg_coro *coro, ssize_t value, int *rc)
{
    struct cg_op *suspend = coro->suspend;

    *rc = 0;
    coro->suspend = NULL;
    if (coro->state == CG_CORO_FINISHED) {
        *rc = -ESRCH;
    } else if (suspend == NULL && coro->activated) {
        *rc = -EALREADY;
    } else if (suspend == NULL) {
        coro->activated = true;
        coro->activation = value;
    }
    return suspend;
}

int cg_coro_activate(struct cg_coro *coro, ssize_t value)
{
    int rc;
    struct cg_op *suspend = activate(coro, value, &rc);

    if (suspend)
        cg_op_complete(suspend, value);
    return rc;
}

static enum cg_verdict activate_process(struct cg_op *op, struct cg_sched *sched)
{
    const struct cg_coro_op *self = (struct cg_coro_op *)op;
    struct cg_op *suspend = NULL;
    int rc = -EINVAL;

    if (self->coro && self->coro->sched == sched)
        suspend = activate(self->coro, self->value, &rc);
    if (suspend == NULL) {
        op->result = rc;
        return CG_DONE;
    }
    cg_op_complete_by(suspend, self->value, op);
    return cg_op_after_others(op, 0);
}

static int activate_print(const struct cg_op *op, char *buf, size_t size)
{
    return cg__coro_print(((const struct cg_coro_op *)op)->coro, buf, size);
}

const struct cg_op_type cg_activate_type = {
    .name = "activate",
    .process = activate_process,
    .print = activate_print,
};
