/* SPDX-License-Identifier: MIT */
/* cg_ws_end: sends a Close and waits for the peer's. */
#include "config.h"

#include "http/ws/ws_output.h"
#include "http/ws/ws_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct cg_ws_end_op *of(struct cg_op *op)
{
    return (struct cg_ws_end_op *)op;
}

static bool is_valid(const struct cg_ws_end_op *end)
{
    size_t len = end->why != NULL ? strlen(end->why) : 0;

    if (end->code == 0)
        return len == 0;
    return end->code > 0 && cg__http_ws_frame_is_code((unsigned)end->code) &&
           len < CG_WS_REASON_SIZE && cg__http_ws_utf8_is_valid(end->why, len);
}

static ssize_t wait_close(struct cg_ws *ws)
{
    ssize_t n;

    ws->reading = true;
    do
        ws->ready = 0;
    while ((n = cg__http_ws_read_next(ws, true)) > 0);
    ws->reading = false;
    return n;
}

/* A coroutine that reads notes that the wait for the Close has begun. */
static ssize_t end_it(struct cg_ws *ws, const struct cg_ws_end_op *end)
{
    ssize_t n;

    if (ws->ended)
        return cg__http_ws_output_send(ws) == -ECANCELED ? -ECANCELED : 0;
    n = cg__http_ws_output_close(ws, (unsigned)end->code, end->why ? end->why : "");
    if (n < 0)
        return n;
    cg__http_ws_rouse(ws);
    n = cg__http_ws_output_send(ws);
    if (ws->reading || n == -ECANCELED || n == -EBADF)
        return n;
    return wait_close(ws);
}

static enum cg_verdict end_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    op->result = of(op)->ws == NULL ? -EBADF : -EINVAL;
    if (of(op)->ws == NULL || !is_valid(of(op)))
        return CG_DONE;
    return cg_object_enter(&of(op)->ws->object, op);
}

static enum cg_verdict end_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg__http_ws_leave(of(op)->ws, op, 0);
    return CG_DONE;
}

static ssize_t end_run(struct cg_op *op)
{
    struct cg_ws *ws = of(op)->ws;
    ssize_t n = ws->object.closed ? -EBADF : end_it(ws, of(op));

    return cg__http_ws_leave(ws, op, n);
}

static int end_print(const struct cg_op *op, char *buf, size_t size)
{
    return snprintf(buf, size, "%d", ((const struct cg_ws_end_op *)op)->code);
}

const struct cg_op_type cg_ws_end_type = {
    .name = "ws_end",
    .process = end_process,
    .run = end_run,
    .cancel = end_cancel,
    .print = end_print,
};
