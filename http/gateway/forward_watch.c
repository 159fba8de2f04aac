/* SPDX-License-Identifier: MIT */
/* Whether the client of a forwarded request is still there. */
#include "config.h"

#include "http/gateway/forward.h"

#include <cogen/starter.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define MOMENT CG_SECOND        /* how often a silent client is checked */
#define SILENCE (5 * CG_SECOND) /* how long a response to a silent client may pause */

/* Tests whether the client is still there, by sending something: if it has gone, its host
 * answers with a reset. 100 Continue does no harm, even if the client did not ask for it. */
static ssize_t call_out(struct cg__forward *fw)
{
    int error = 0;
    size_t size = sizeof error;
    ssize_t n = cg_yield(cg_lock(&fw->saying, .timeout = MOMENT));

    if (n < 0)
        return n == -ETIMEDOUT ? 0 : n; /* the response is being written */
    n = cg_yield(cg_http_send_interim(fw->req, 100, NULL));
    cg_mutex_unlock(&fw->saying);
    if (n >= 0)
        n = cg_yield(cg_sleep(MOMENT));
    if (n >= 0 && cg_sock_getopt(cg_http_request_sock(fw->req), SOL_SOCKET, SO_ERROR, &error,
                                 &size) == 0)
        n = -error;
    return n;
}

/* Called when the client has ended its stream: it has gone, or it only waits for the
 * response. call_out tests that, once. Later each piece of the response that is written tests
 * it again; if none comes for SILENCE, the client is taken to have gone. */
static ssize_t wait_for_silence(struct cg__forward *fw)
{
    ssize_t n = cg_yield(cg_sleep(MOMENT));

    if (n >= 0 && !fw->answering)
        n = call_out(fw);
    while (n >= 0 && (fw->waits == 0 || cg_sched_now(cg_sched_self()) - fw->waits < SILENCE))
        n = cg_yield(cg_sleep(MOMENT));
    return n;
}

/* A wait for the client to leave. A coroutine is started only when the wait ends. */
struct watch {
    struct cg_http_wait_left_op left; /* must be first */
    struct cg__forward *fw;
    struct cg_scope scope; /* around the forwarding; ends when the client has gone */
    struct cg_coro *coro;  /* runs look(); or NULL */
    struct cg_event ended; /* look() has returned */
    bool over;             /* the request has been forwarded */
};

/* Ends the forwarding when the client has gone. */
static ssize_t look(void *op)
{
    struct watch *watch = op;
    ssize_t n = cg_op_result(op);

    watch->coro = cg_coro_self();
    if (n == 0 && !watch->over) { /* otherwise the next write tells, or the end of the tunnel */
        wait_for_silence(watch->fw);
        if (!watch->over)
            cg_scope_cancel(&watch->scope);
    }
    watch->coro = NULL;
    cg_event_set(&watch->ended);
    return 0;
}

static void end(struct watch *watch, struct cg_starter *starter)
{
    watch->over = true;
    if (cg_starter_withdraw(starter, &watch->left.op))
        return;
    if (watch->coro != NULL)
        cg_coro_cancel(watch->coro);
    cg_yield(cg_wait_event(&watch->ended, .shield = true, .timeout = CG_NEVER));
}

/* Over HTTP/2 a handler whose client leaves is cancelled. */
ssize_t cg__http_forward_watch(struct cg__forward *fw, cg_fn *fn, void *arg)
{
    struct watch watch = {.left = *(struct cg_http_wait_left_op *)cg_http_wait_left(fw->req),
                          .fw = fw};
    struct cg_starter **starter = fw->starter;
    bool waits;
    ssize_t n;

    if (cg__http_forward_is_http2(fw))
        return fn(arg);
    if (*starter == NULL)
        *starter = cg_starter_new(cg_sched_self(), look, .name = "forward_watch");
    if (*starter == NULL)
        return -ENOMEM;
    cg_scope_open(&watch.scope, CG_NEVER, false);
    waits = cg_starter_await(*starter, &watch.left.op) == 0;
    n = fn(arg);
    if (waits)
        end(&watch, *starter);
    cg_scope_close(&watch.scope);
    return n;
}
