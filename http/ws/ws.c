/* SPDX-License-Identifier: MIT */
/* A WebSocket: made, asked, freed. */
#include "config.h"

#include "http/ws/ws.h"
#include "http/ws/ws_protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct cg_ws) <= 536, "there may be a hundred thousand of them");

enum { MOST_WINDOW = 15 };

#define DEFAULT(field, value) options->field = options->field ? options->field : (value)

static void set_defaults(struct cg_ws_options *options)
{
    DEFAULT(limit, CG_WS_LIMIT);
    DEFAULT(compress_above, CG_WS_COMPRESS_ABOVE);
    DEFAULT(ping_interval, 30 * CG_SECOND);
    DEFAULT(idle_timeout, 75 * CG_SECOND);
    DEFAULT(write_timeout, 30 * CG_SECOND);
    DEFAULT(close_timeout, 2 * CG_SECOND);
    DEFAULT(window_bits, MOST_WINDOW);
    options->protocol = NULL; /* was borrowed */
}

void cg__http_ws_rouse(struct cg_ws *ws)
{
    if (ws->wait != NULL)
        cg_scope_cancel(ws->wait);
    else if (ws->handler != NULL && ws->coro == NULL && ws->starter != NULL)
        cg_starter_cancel(ws->starter, &ws->dormant.op);
}

void cg__http_ws_begin(struct cg_ws *ws)
{
    ws->parser = (struct cg__ws_parser){
        .masked = !ws->options.client,
        .deflate = ws->deflate != NULL,
        .limit = ws->options.limit,
    };
}

int cg__http_ws_make(struct cg_sock *sock, const struct cg_ws_options *options,
                     const struct cg__ws_params *params, const char *protocol,
                     struct cg_ws **out)
{
    struct cg_ws *ws = calloc(1, sizeof *ws);

    if (ws == NULL)
        return -ENOMEM;
    if (options != NULL)
        ws->options = *options;
    set_defaults(&ws->options);
    ws->reason = "";
    if (params->on && (ws->deflate = cg__http_ws_deflate_new(params)) == NULL)
        goto no_memory;
    if (protocol != NULL && (ws->protocol = strdup(protocol)) == NULL)
        goto no_memory;
    cg__http_ws_begin(ws);
    ws->sock = sock;
    *out = ws;
    return 0;
no_memory:
    cg__http_ws_destroy(ws);
    return -ENOMEM;
}

int cg_ws_new_with(struct cg_sock *sock, const struct cg_ws_options *options,
                   struct cg_ws **ws)
{
    struct cg__ws_params params = {.on = false};

    if (options != NULL && !cg__http_ws_protocol_are_valid(options))
        return -EINVAL;
    if (options != NULL && options->deflate && cg__http_ws_deflate_can()) {
        params.on = true;
        params.reset_in = params.reset_out = options->no_takeover;
        params.bits_in = params.bits_out =
            options->window_bits ? options->window_bits : MOST_WINDOW;
    }
    return cg__http_ws_make(sock, options, &params, NULL, ws);
}

void cg__http_ws_destroy(struct cg_ws *ws)
{
    cg__http_ws_deflate_free(ws->deflate);
    free(ws->protocol);
    free(ws->parser.control);
    free(ws->buf);
    free(ws->out.data);
    free(ws->masks);
    free(ws->reason_came);
    free(ws);
}

/* What runs on it completes with -EBADF, as its socket is closed; the last one frees it. */
void cg_ws_free(struct cg_ws *ws)
{
    if (ws == NULL)
        return;
    cg__http_guest_remove(&ws->guest);
    cg_sock_close(ws->sock);
    ws->sock = NULL;
    ws->view.chunk = NULL;
    if (cg_object_close(&ws->object))
        cg__http_ws_destroy(ws);
}

ssize_t cg__http_ws_leave(struct cg_ws *ws, struct cg_op *op, ssize_t n)
{
    if (cg_object_leave(&ws->object, op) == 0)
        return n;
    if (ws->object.running == 0)
        cg__http_ws_destroy(ws);
    return -EBADF;
}

const char *cg_ws_protocol(const struct cg_ws *ws)
{
    return ws->protocol;
}

int cg_ws_code(const struct cg_ws *ws)
{
    return ws->code;
}

const char *cg_ws_reason(const struct cg_ws *ws)
{
    return ws->reason;
}

bool cg_ws_has_input(const struct cg_ws *ws)
{
    return ws->view.chunk != NULL && ws->at < ws->view.len;
}

struct cg_sock *cg_ws_sock(const struct cg_ws *ws)
{
    return ws->sock;
}
