/* SPDX-License-Identifier: MIT */
/* cg_http_wait_left: the operation by which the carrier knows that the client has left. It is
 * that operation, not one around it, which would need a coroutine for each handler that
 * waits. */
#include "config.h"

#include "http/server/request/request.h"

#include <stdio.h>

static struct cg_http_wait_left_op *of(struct cg_op *op)
{
    return (struct cg_http_wait_left_op *)op;
}

static enum cg_verdict left_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_http_wait_left_op *wait = of(op);

    wait->served_by = wait->req->carrier->left(wait->req, wait);
    return wait->served_by->process(op, sched);
}

static enum cg_verdict left_cancel(struct cg_op *op, struct cg_sched *sched)
{
    return of(op)->served_by->cancel(op, sched);
}

static int left_print(const struct cg_op *op, char *buf, size_t size)
{
    return snprintf(buf, size, "%s",
                    cg_http_request_target(((const struct cg_http_wait_left_op *)op)->req));
}

const struct cg_op_type cg_http_wait_left_type = {
    .name = "http_wait_left",
    .process = left_process,
    .cancel = left_cancel,
    .print = left_print,
};
