/* SPDX-License-Identifier: MIT */
/* Signals to coroutines of other schedulers. A signal is a post to the other scheduler, in
 * one block of memory with the bytes of its name. If an op waits for the number of
 * coroutines that were reached, the post is an errand (errand.h). */
#include "config.h"

#include "lib/core/op.h"
#include "lib/threads/errand.h"
#include "lib/vocabulary/names.h"

#include <cogen/remote.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct cg_signal_remote_op) <= 128, "core ops fit in 128 bytes");

struct cg_remote {
    struct cg__errand errand;
    struct cg_name name;
    const void *value;
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
    *remote = (struct cg_remote){.errand.there = there, .name = name, .value = value};
    if (cg__names_has_bytes(name)) {
        if (len > 0)
            memcpy(remote->bytes, name.data, len);
        remote->name.data = remote->bytes;
    }
    return remote;
}

static size_t signal_there(struct cg_remote *remote)
{
    return cg_sched_signal_with(remote->errand.there, remote->name, remote->value);
}

static void run_post(struct cg__post *post, bool dropped)
{
    struct cg_remote *remote = (struct cg_remote *)post;

    if (!dropped)
        signal_there(remote);
    free(remote);
}

int cg_sched_post_signal_with(struct cg_sched *sched, struct cg_name name,
                              const void *value)
{
    struct cg_remote *remote = make(sched, name, value);

    if (remote == NULL)
        return -ENOMEM;
    remote->errand.post.run = run_post;
    cg__post(sched, &remote->errand.post);
    return 0;
}

static void arrive(struct cg__errand *errand)
{
    cg__errand_return(errand, (ssize_t)signal_there((struct cg_remote *)errand));
}

static enum cg_verdict remote_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_signal_remote_op *signal = (struct cg_signal_remote_op *)op;

    if (signal->sched == NULL)
        return cg__op_done(op, -EINVAL);
    signal->remote = make(signal->sched, signal->name, signal->value);
    if (signal->remote == NULL)
        return cg__op_done(op, -ENOMEM);
    signal->remote->errand.arrive = arrive;
    return cg__errand_send(&signal->remote->errand, op, sched);
}

static enum cg_verdict remote_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_remote *remote = ((struct cg_signal_remote_op *)op)->remote;

    (void)sched;
    return cg__errand_withdraw(&remote->errand) ? CG_DONE : CG_PENDING;
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
