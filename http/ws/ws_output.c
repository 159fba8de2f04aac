/* SPDX-License-Identifier: MIT */
/* Sends frames. A frame that has begun is never left incomplete: what a cancelled writer
 * could not send stays first in the output. */
#include "config.h"

#include "http/acked.h"
#include "http/message/room.h"
#include "http/ws/ws_output.h"
#include "lib/base/moment.h"
#include "lib/base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    PARTS = 3,         /* the output, and head and payload of a frame */
    FIRST_ROOM = 1024, /* of the output: some small messages are gathered without a realloc */
};

static int reserve(struct cg__ws_out *out, size_t more)
{
    return cg__http_room(&out->data, &out->size, FIRST_ROOM, out->len + more);
}

/* A mask that the payload's author cannot predict (RFC 6455, 10.3). Without entropy nothing
 * is sent. */
static int next_mask(struct cg_ws *ws, uint8_t *mask)
{
    if (ws->masks == NULL && (ws->masks = malloc(CG__WS_MASKS)) == NULL)
        return -ENOMEM;
    if (ws->masks_left == 0) {
        if (getentropy(ws->masks, CG__WS_MASKS) < 0)
            return -errno;
        ws->masks_left = CG__WS_MASKS;
    }
    ws->masks_left = (uint8_t)(ws->masks_left - 4);
    memcpy(mask, ws->masks + ws->masks_left, 4);
    return 0;
}

int cg__http_ws_output_put(struct cg_ws *ws, unsigned first, const char *data, size_t len)
{
    struct cg__ws_out *out = &ws->out;
    uint8_t mask[4], *masks = ws->options.client ? mask : NULL;
    int rc = reserve(out, CG__WS_HEAD + len);
    char *to;

    if (rc == 0 && masks != NULL)
        rc = next_mask(ws, mask);
    if (rc < 0)
        return rc;
    to = out->data + out->len;
    to += cg__http_ws_frame_head((uint8_t *)to, first, len, masks);
    if (masks != NULL)
        cg__http_ws_frame_mask(to, data, len, masks, 0);
    else if (len > 0)
        memcpy(to, data, len);
    out->len = (size_t)(to - out->data) + len;
    return 0;
}

int cg__http_ws_output_close(struct cg_ws *ws, unsigned code, const char *reason)
{
    char payload[CG__WS_CONTROL];
    size_t len = 0;
    int rc;

    if (ws->sent_close)
        return 0;
    if (code != 0) {
        payload[0] = (char)(code >> 8);
        payload[1] = (char)code;
        len = strlen(reason);
        if (len > sizeof payload - 2)
            len = sizeof payload - 2;
        memcpy(payload + 2, reason, len);
        len += 2;
    }
    rc = cg__http_ws_output_put(ws, CG__WS_FIN | CG__WS_OP_CLOSE, payload, len);
    if (rc == 0) {
        ws->sent_close = true;
        ws->close_until =
            cg__moment_after(cg_sched_now(cg_sched_self()), ws->options.close_timeout);
    }
    return rc;
}

/* Puts what was not sent before what has come to the output meanwhile. */
static int put_back(struct cg_ws *ws, const struct iovec *parts, int count)
{
    struct cg__ws_out out = {.data = NULL};
    int rc = 0;

    for (int i = 0; i <= count && rc == 0; i++) {
        struct iovec part = {ws->out.data, ws->out.len};

        if (i < count)
            part = parts[i];
        if (part.iov_len == 0)
            continue;
        rc = reserve(&out, part.iov_len);
        if (rc == 0) {
            memcpy(out.data + out.len, part.iov_base, part.iov_len);
            out.len += part.iov_len;
        }
    }
    free(ws->out.data);
    ws->out = out;
    return rc;
}

/* The write has failed, or was cancelled. parts: what is left. */
static void cut_short(struct cg_ws *ws, ssize_t n, const struct iovec *parts, bool whole)
{
    if (ws->sock == NULL)
        return;
    if (n == -ETIMEDOUT) /* the close will reset the connection: see http/server/output.h */
        cg_sock_setopt(ws->sock, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
                       sizeof(struct linger));
    if (n != -ECANCELED)
        ws->broken = n;
    else if (put_back(ws, parts, whole ? 1 : PARTS) < 0)
        ws->broken = -EPIPE;
}

ssize_t cg__http_ws_output_flush(struct cg_ws *ws, const struct iovec *frame, bool committed)
{
    struct cg__ws_out out = ws->out;
    struct iovec parts[PARTS] = {{out.data, out.len}};
    ssize_t n = ws->broken;

    if (frame != NULL)
        memcpy(parts + 1, frame, 2 * sizeof *frame);
    if (n < 0 || (frame == NULL && out.len == 0))
        return n;
    ws->out = (struct cg__ws_out){.data = NULL};
    n = cg__http_acked_writev(ws->sock, parts, PARTS,
                              cg__http_acked_wait(ws->options.write_timeout), false);
    if (n < 0)
        cut_short(ws, n, parts,
                  frame != NULL && !committed && parts[1].iov_len == frame[0].iov_len);
    free(out.data);
    return n < 0 ? n : 0;
}

ssize_t cg__http_ws_output_unlock(struct cg_ws *ws, ssize_t n)
{
    while (n >= 0 && ws->out.len > 0) {
        ssize_t rc = cg__http_ws_output_flush(ws, NULL, false);

        if (rc < 0)
            n = rc;
    }
    cg_mutex_unlock(&ws->lock);
    return n;
}

ssize_t cg__http_ws_output_send(struct cg_ws *ws)
{
    ssize_t n;

    if (ws->out.len == 0)
        return ws->broken;
    n = cg_yield(cg_lock(&ws->lock, .timeout = CG_NEVER));
    return n < 0 ? n : cg__http_ws_output_unlock(ws, 0);
}
