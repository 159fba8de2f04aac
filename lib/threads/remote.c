/* SPDX-License-Identifier: MIT */
/* Signals that reach coroutines of other schedulers. A signal travels as a post, in one
 * block with the bytes of its name; one whose number is awaited travels back in it. */
#include "config.h"

#include "lib/core/sched.h"
#include "lib/vocabulary/names.h"

#include <cogen/remote.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct cg_signal_remote_op) <= 128, "core ops fit in 128 bytes");

/* Who may touch the block is clear at any time: until it has been looked at both sides may
 * take it, and the exchange of the state decides. */
enum state {
    SENT,      /* nobody has looked */
    TAKEN,     /* the other scheduler signals and sends the block back */
    WITHDRAWN, /* the op is gone; the other scheduler only frees the block */
};

struct cg_remote {
    struct cg__post post;
    struct cg_sched *there, *home; /* home: NULL if nobody awaits the number */
    struct cg_signal_remote_op *op;
    struct cg_name name;
    const void *value;
    ssize_t result;
    atomic_int state;
    char bytes[];
};

static struct cg_remote *make(struct cg_sched *there, struct cg_name name,
                              const void *value)
{
    size_t len = cg__names_has_bytes(name) ? name.len : 0;
    struct cg_remote *remote = NULL;

    if (len < SIZE_MAX - sizeof *remote)
        remote = malloc(sizeof *remote + len);
    if (remote == NULL)
        return NULL;
    *remote = (struct cg_remote){.there = there, .name = name, .value = value};
    atomic_init(&remote->state, SENT);
    if (cg__names_has_bytes(name)) {
        if (len > 0)
            memcpy(remote->bytes, name.data, len);
        remote->name.data = remote->bytes;
    }
    return remote;
}

/* Back in the scheduler of the op, which waits for this. */
static void come_home(struct cg__post *post, bool dropped)
{
    struct cg_remote *remote = (struct cg_remote *)post;

    if (!dropped) {
        cg_sched_unhold(remote->home);
        cg_op_complete(&remote->op->op, remote->result);
    }
    free(remote);
}

static void arrive(struct cg__post *post, bool dropped)
{
    struct cg_remote *remote = (struct cg_remote *)post;
    int sent = SENT;

    if (remote->home && !atomic_compare_exchange_strong(&remote->state, &sent, TAKEN)) {
        free(remote);
        return;
    }
    remote->result = -ESRCH;
    if (!dropped)
        remote->result = cg_sched_signal_with(remote->there, remote->name, remote->value);
    if (remote->home) {
        remote->post.run = come_home;
        cg__post(remote->home, &remote->post);
    } else {
        free(remote);
    }
}

int cg_sched_post_signal_with(struct cg_sched *sched, struct cg_name name,
                              const void *value)
{
    struct cg_remote *remote = make(sched, name, value);

    if (remote == NULL)
        return -ENOMEM;
    remote->post.run = arrive;
    cg__post(sched, &remote->post);
    return 0;
}

static enum cg_verdict remote_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_signal_remote_op *signal = (struct cg_signal_remote_op *)op;
    struct cg_remote *remote;

    op->result = -EINVAL;
    if (signal->sched == NULL)
        return CG_DONE;
    op->result = -ENOMEM;
    if ((remote = make(signal->sched, signal->name, signal->value)) == NULL)
        return CG_DONE;
    remote->post.run = arrive;
    remote->home = sched;
    remote->op = signal;
    signal->remote = remote;
    cg_sched_hold(sched);
    cg__post(signal->sched, &remote->post);
    return CG_PENDING;
}

static enum cg_verdict remote_cancel(struct cg_op *op, struct cg_sched *sched)
{
    int sent = SENT;
    struct cg_remote *remote = ((struct cg_signal_remote_op *)op)->remote;

    if (!atomic_compare_exchange_strong(&remote->state, &sent, WITHDRAWN))
        return CG_PENDING; /* on its way back */
    cg_sched_unhold(sched);
    return CG_DONE;
}

static int remote_print(const struct cg_op *op, char *buf, size_t size)
{
    return cg__names_print(((const struct cg_signal_remote_op *)op)->name, buf, size);
}

const struct cg_op_type cg_signal_remote_type = {
    .name = "signal_remote",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = remote_process,
    .cancel = remote_cancel,
    .print = remote_print,
};
