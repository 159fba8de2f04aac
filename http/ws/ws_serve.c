/* SPDX-License-Identifier: MIT */
/* cg_ws_serve: reads a WebSocket for a function of the program. While it is idle it has no
 * coroutine; a starter waits for its input in its stead. */
#include "config.h"

#include "http/server/connection.h"
#include "http/ws/ws.h"
#include "http/ws/ws_read.h"

#include <cogen/starter.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* So long an idle WebSocket keeps its coroutine: after a message, and after what was none,
 * such as a pong. */
#define AWAKE CG_SECOND
#define BRIEFLY (20 * CG_MILLISECOND)

static int64_t after(int64_t length)
{
    return cg_sched_now(cg_sched_self()) + length;
}

/* The next message, as cg_ws_read has it; CG__WS_DOZE. */
static ssize_t next(struct cg_ws *ws, struct cg_ws_message *message)
{
    ssize_t n = ws->object.closed ? -EBADF : cg__http_ws_read_next(ws, false);

    if (ws->object.closed)
        n = -EBADF;
    if (n > 0) {
        *message = ws->message;
        ws->ready = 0;
    }
    return n;
}

/* Whether the wait for input goes on without this coroutine, which must not touch the
 * WebSocket any more. */
static bool begin_dormant(struct cg_ws *ws)
{
    free(ws->parser.control);
    free(ws->out.data);
    ws->out = (struct cg__ws_out){.data = NULL};
    ws->dormant = *(struct cg_wait_input_op *)cg_wait_input(
        ws->sock, .timeout = CG_NEVER, .deadline = cg__http_ws_read_due(ws));
    ws->coro = NULL;
    if (cg_starter_await(ws->starter, &ws->dormant.op) == 0)
        return true;
    cg__http_ws_begin(ws);
    ws->coro = cg_coro_self();
    ws->doze = 0; /* this transport cannot */
    return false;
}

static void end(struct cg_ws *ws, ssize_t n)
{
    ws->handler(ws, n, NULL, ws->handler_arg);
    ws->coro = NULL;
    cg__http_connection_leave(&ws->guest);
    ws->object.running--;
    if (!ws->object.closed)
        cg_ws_free(ws);
    else if (ws->object.running == 0)
        cg__http_ws_destroy(ws);
}

static void go_on(struct cg_ws *ws)
{
    struct cg_ws_message message;
    ssize_t n;

    for (;;) {
        n = next(ws, &message);
        if (n == CG__WS_DOZE) {
            if (begin_dormant(ws))
                return;
            continue;
        }
        if (n > 0)
            n = ws->handler(ws, n, &message, ws->handler_arg);
        else
            break;
        if (n < 0)
            break;
        if (ws->doze != 0)
            ws->doze = after(AWAKE);
    }
    end(ws, n);
}

static struct cg_ws *of(struct cg__http_guest *guest)
{
    return (struct cg_ws *)((char *)guest - offsetof(struct cg_ws, guest));
}

/* In a new coroutine: something has come, or it is time for a ping, or it was cancelled. */
static ssize_t resume(void *arg)
{
    struct cg_ws *ws = (struct cg_ws *)((char *)arg - offsetof(struct cg_ws, dormant));

    cg__http_ws_begin(ws);
    ws->coro = cg_coro_self();
    ws->waited = cg_sched_now(cg_sched_self()); /* the silence counts */
    ws->doze = after(BRIEFLY);
    if (ws->cut)
        cg_coro_cancel(ws->coro);
    go_on(ws);
    return 0;
}

/* The reader sends the Close. */
static void told(struct cg__http_guest *guest)
{
    struct cg_ws *ws = of(guest);

    ws->told = true;
    cg__http_ws_rouse(ws);
}

static void serve(struct cg__http_guest *guest)
{
    struct cg_ws *ws = of(guest);

    ws->coro = cg_coro_self();
    ws->starter = cg__http_guest_starter(guest, resume);
    ws->doze = ws->starter != NULL ? after(AWAKE) : 0;
    go_on(ws);
}

static void cancel(struct cg__http_guest *guest)
{
    struct cg_ws *ws = of(guest);

    ws->cut = true;
    if (ws->coro != NULL)
        cg_coro_cancel(ws->coro);
    else
        cg__http_ws_rouse(ws);
}

const struct cg__http_guest_type cg__http_ws_guest = {
    .told = told,
    .serve = serve,
    .cancel = cancel,
};

int cg_ws_serve(struct cg_ws *ws, struct cg_http_request *req, cg_ws_handler *handler, void *arg)
{
    int rc;

    if (ws == NULL || handler == NULL || ws->guest.link == NULL)
        return -EINVAL;
    if (ws->reading)
        return -EBUSY;
    rc = cg__http_guest_stay(req, &ws->guest);
    if (rc < 0)
        return rc;
    ws->handler = handler;
    ws->handler_arg = arg;
    ws->reading = true; /* nobody else reads .. */
    ws->object.running++; /* .. and nobody frees its memory */
    return 0;
}
