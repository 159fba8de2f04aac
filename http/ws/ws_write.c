/* SPDX-License-Identifier: MIT */
/* cg_ws_write and cg_ws_ping. One message is one writev; small ones may be gathered. */
#include "config.h"

#include "http/ws/ws_output.h"
#include "lib/base/plural.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cg_ws_write_op *of(struct cg_op *op)
{
    return (struct cg_ws_write_op *)op;
}

static bool is_ping(const struct cg_op *op)
{
    return op->type == &cg_ws_ping_type;
}

static size_t len_of(const struct cg_ws_write_op *write)
{
    return write->len == SIZE_MAX ? strlen(write->data) : write->len;
}

static ssize_t check(struct cg_op *op, size_t len)
{
    const struct cg_ws_write_op *write = of(op);

    if (is_ping(op))
        return len > CG__WS_CONTROL ? -EINVAL : 0;
    if (write->kind != CG_WS_TEXT && write->kind != CG_WS_BINARY)
        return -EINVAL;
    return write->kind == CG_WS_TEXT && !cg__http_ws_utf8_is_valid(write->data, len) ? -EILSEQ
                                                                                     : 0;
}

/* Puts the frame behind the output, or sends it from where it is. */
static ssize_t send_frame(struct cg_ws *ws, unsigned first, const char *data, size_t len,
                          bool more, bool committed)
{
    uint8_t head[CG__WS_HEAD];
    struct iovec frame[2] = {{head, 0}, {(void *)(uintptr_t)data, len}};

    if (ws->options.client || (more && len <= CG__WS_SMALL))
        return cg__http_ws_output_put(ws, first, data, len);
    frame[0].iov_len = cg__http_ws_frame_head(head, first, len, NULL);
    return cg__http_ws_output_flush(ws, frame, committed);
}

static bool is_compressed(const struct cg_ws *ws, size_t len)
{
    return ws->deflate != NULL && len > ws->options.compress_above;
}

static ssize_t send_message(struct cg_ws *ws, const struct cg_ws_write_op *write, size_t len)
{
    unsigned first = CG__WS_FIN | (unsigned)write->kind;
    char *packed = NULL;
    ssize_t n = 0;

    if (is_compressed(ws, len))
        n = cg__http_ws_deflate_pack(ws->deflate, write->data, len, &packed);
    if (n > 0) /* later messages refer to this one: it must be sent */
        n = send_frame(ws, first | CG__WS_RSV1, packed, (size_t)n, write->more, true);
    else if (n == 0)
        n = send_frame(ws, first, write->data, len, write->more, false);
    free(packed);
    return n;
}

static ssize_t send_any(struct cg_op *op, size_t len)
{
    struct cg_ws_write_op *write = of(op);
    struct cg_ws *ws = write->ws;

    if (ws->broken < 0)
        return ws->broken;
    if (ws->sent_close || ws->ended)
        return -EPIPE;
    return is_ping(op)
               ? cg__http_ws_output_put(ws, CG__WS_FIN | CG__WS_OP_PING, write->data, len)
               : send_message(ws, write, len);
}

/* Whether a message is only put behind the output, so that it never waits. If nobody has the
 * lock, it does not need it. */
static bool is_only_put(const struct cg_ws_write_op *write, size_t len)
{
    const struct cg_ws *ws = write->ws;

    return write->more && len <= CG__WS_SMALL && !is_compressed(ws, len) &&
           ws->out.len + CG__WS_HEAD + len < CG__WS_GATHERED;
}

static ssize_t lock_and_send(struct cg_op *op, size_t len)
{
    struct cg_ws *ws = of(op)->ws;
    ssize_t n = cg_yield(cg_lock(&ws->lock, .timeout = CG_NEVER));

    if (n < 0)
        return n;
    n = send_any(op, len);
    if (n >= 0 && of(op)->more && ws->out.len < CG__WS_GATHERED) {
        cg_mutex_unlock(&ws->lock);
        return n;
    }
    return cg__http_ws_output_unlock(ws, n);
}

static enum cg_verdict write_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    op->result = -EBADF;
    return of(op)->ws == NULL ? CG_DONE : cg_object_enter(&of(op)->ws->object, op);
}

static enum cg_verdict write_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg__http_ws_leave(of(op)->ws, op, 0);
    return CG_DONE;
}

static ssize_t write_run(struct cg_op *op)
{
    struct cg_ws *ws = of(op)->ws;
    size_t len = len_of(of(op));
    ssize_t n = ws->object.closed ? -EBADF : check(op, len);

    if (n == 0)
        n = ws->lock.owner == NULL && is_only_put(of(op), len) ? send_any(op, len)
                                                               : lock_and_send(op, len);
    if (n >= 0)
        n = is_ping(op) ? 0 : (ssize_t)len;
    return cg__http_ws_leave(ws, op, n);
}

static int write_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_ws_write_op *write = (const struct cg_ws_write_op *)op;

    return snprintf(buf, size, "%zu byte%s", len_of(write), cg__plural(len_of(write)));
}

const struct cg_op_type cg_ws_write_type = {
    .name = "ws_write",
    .process = write_process,
    .run = write_run,
    .cancel = write_cancel,
    .print = write_print,
};

const struct cg_op_type cg_ws_ping_type = {
    .name = "ws_ping",
    .process = write_process,
    .run = write_run,
    .cancel = write_cancel,
    .print = write_print,
};
