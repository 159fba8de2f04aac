/* SPDX-License-Identifier: MIT */
/* See line.h. */
#include "config.h"

#include "http/client/pool/line.h"
#include "http/client/why.h"

static void leave(struct cg__line_op *waiter)
{
    struct cg__line *line = waiter->line;

    *(waiter->prev ? &waiter->prev->next : &line->first) = waiter->next;
    *(waiter->next ? &waiter->next->prev : &line->last) = waiter->prev;
    waiter->line = NULL;
}

static enum cg_verdict line_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg__line_op *waiter = (struct cg__line_op *)op;
    struct cg__line *line = waiter->line;

    (void)sched;
    waiter->next = NULL;
    waiter->prev = line->last;
    *(line->last ? &line->last->next : &line->first) = waiter;
    line->last = waiter;
    return CG_PENDING;
}

static enum cg_verdict line_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    leave((struct cg__line_op *)op);
    return CG_DONE;
}

void cg__http_client_pool_line_wake(struct cg__line_op *waiter, ssize_t code, const char *why)
{
    if (waiter->line == NULL)
        return;
    leave(waiter);
    if (waiter->why != NULL && why != NULL)
        cg__http_client_because(waiter->why, code, "%s", why);
    cg_op_complete(&waiter->op, code);
}

void cg__http_client_pool_line_wake_all(struct cg__line *line, ssize_t code, const char *why)
{
    while (line->first != NULL)
        cg__http_client_pool_line_wake(line->first, code, why);
}

const struct cg_op_type cg__http_client_pool_line_type = {
    .name = "http_client_wait",
    .flags = CG_OP_LOCAL,
    .process = line_process,
    .cancel = line_cancel,
};
