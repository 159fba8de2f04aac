/* SPDX-License-Identifier: MIT */
/* The resolver that asks name servers through c-ares. One coroutine makes all calls to
 * c-ares. It exists only while ops wait: it submits their queries, waits for the sockets
 * of c-ares (cares_sockets.c) and for its timeouts, and ends with the last waiting op. So
 * an idle resolver neither holds the run open nor counts as a deadlock. */
#include "config.h"

#include "sockets/resolve/cares_lookups.h"

#include <errno.h>
#include <stdlib.h>

enum { PUMP_STACK = 128 << 10 }; /* bytes; c-ares has large buffers on the stack */

struct cares {
    struct cg_resolver base;
    struct cg__cares_lookups lookups;
    bool pumping;
    struct cg_op *kick; /* the op on which the pump waits, to wake it */
};

/* The kick is an op that ends the wait of the pump. */

struct kick_op {
    CG_OP_HEAD;
    struct cares *cares;
};

static enum cg_verdict kick_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cares *cares = ((struct kick_op *)op)->cares;

    (void)sched;
    op->result = 0;
    if (cg__cares_sockets_is_ready(&cares->lookups.channel.sockets))
        return CG_DONE;
    cares->kick = op;
    return CG_PENDING;
}

static enum cg_verdict kick_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    ((struct kick_op *)op)->cares->kick = NULL;
    return CG_DONE;
}

static const struct cg_op_type kick_type = {
    .name = "lookups",
    .flags = CG_OP_LOCAL,
    .process = kick_process,
    .cancel = kick_cancel,
};

static void kick(struct cares *cares)
{
    struct cg_op *op = cares->kick;

    cares->kick = NULL;
    if (op != NULL)
        cg_op_complete(op, 0);
}

static void woken(struct cg__cares_sockets *sockets)
{
    kick((struct cares *)((char *)sockets - offsetof(struct cares, lookups.channel.sockets)));
}

/* Waits until c-ares has work to do, and lets it do that. Shielded: the look-up of a
 * shielded op must go on even if all coroutines, this one included, were cancelled. */
static void attend(struct cares *cares)
{
    struct cg__cares_channel *channel = &cares->lookups.channel;
    struct kick_op wait = {.type = &kick_type,
                           .cares = cares,
                           .timeout = cg__cares_channel_patience(channel),
                           .shield = true};

    cg_yield(&wait.op);
    if (cg__cares_channel_is_parents(channel))
        return;
    if (channel->sockets.broken)
        ares_cancel(channel->ares);
    channel->sockets.broken = false;
    cg__cares_sockets_process(&channel->sockets);
}

static ssize_t pump(void *arg)
{
    struct cares *cares = arg;
    struct cg__cares_lookups *lookups = &cares->lookups;

    for (cg__cares_lookups_ask(lookups); lookups->wanted > 0; cg__cares_lookups_ask(lookups))
        attend(cares);
    if (lookups->asked > 0)
        ares_cancel(lookups->channel.ares);
    cares->pumping = false;
    return 0;
}

/* Starts the pump if it does not run. */
static int start_pump(struct cares *cares)
{
    int rc = 0;

    if (!cares->pumping)
        rc = cg_sched_start(cares->base.sched, pump, cares, .name = "c-ares",
                            .stack_size = PUMP_STACK);
    cares->pumping = rc == 0;
    return rc;
}

static enum cg_verdict cares_start(struct cg_resolver *resolver,
                                   struct cg_resolve_op *op)
{
    struct cares *cares = (struct cares *)resolver;
    char name[CG_HOST_SIZE];

    cares->lookups.sched = resolver->sched;
    cg__records_question(op, name);
    if (cg__cares_lookups_recall(&cares->lookups, op, name))
        return CG_DONE;
    op->result = start_pump(cares);
    if (op->result == 0)
        op->result = cg__cares_lookups_add(&cares->lookups, op, name);
    if (op->result < 0)
        return CG_DONE;
    kick(cares);
    return CG_PENDING;
}

static void cares_cancel(struct cg_resolver *resolver, struct cg_resolve_op *op)
{
    struct cares *cares = (struct cares *)resolver;

    cg__cares_lookups_cancel(&cares->lookups, op);
    if (cares->lookups.wanted == 0)
        kick(cares);
}

/* Families are always looked up separately, so that one lost response does not delay the
 * other. */
static bool cares_apart(struct cg_resolver *resolver, const char *host)
{
    (void)resolver;
    (void)host;
    return true;
}

/* The pump replaces the channel itself when it notices the fork. */
static void cares_forked(struct cg_resolver *resolver)
{
    kick((struct cares *)resolver);
}

static void cares_close(struct cg_resolver *resolver)
{
    struct cares *cares = (struct cares *)resolver;

    cg__cares_lookups_free(&cares->lookups);
    free(cares);
}

static const struct cg_resolver_type cares_type = {
    .name = "c-ares",
    .start = cares_start,
    .cancel = cares_cancel,
    .close = cares_close,
    .apart = cares_apart,
    .forked = cares_forked,
    .kinds = 1 << CG_RESOLVE_SRV | 1 << CG_RESOLVE_TXT | 1 << CG_RESOLVE_PTR,
};

int cg__resolve_cares_open(const struct cg_resolver_options *options,
                           struct cg_resolver **resolver)
{
    struct cares *cares;

    if (options->timeout < 0 || options->tries < 0)
        return -EINVAL;
    cares = calloc(1, sizeof *cares);
    if (cares == NULL)
        return -ENOMEM;
    cares->base.type = &cares_type;
    cares->lookups.channel.sockets.woken = woken;
    if (cg__cares_lookups_init(&cares->lookups, options) < 0) {
        cares_close(&cares->base);
        return -ENOMEM;
    }
    *resolver = &cares->base;
    return 0;
}
