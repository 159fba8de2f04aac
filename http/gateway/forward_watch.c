/* SPDX-License-Identifier: MIT */
/* Whether the client of a forwarded request is still there. */
#include "config.h"

#include "http/gateway/forward.h"

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

/* Ends when the client has gone. */
static ssize_t watch(void *arg)
{
    struct cg__forward *fw = arg;
    ssize_t n = cg_yield(cg_http_wait_left(fw->req));

    if (n == -EOPNOTSUPP || n == -EBADF) /* the next write tells, or the end of the tunnel */
        return cg_yield(cg_suspend(.timeout = CG_NEVER));
    return n < 0 ? n : wait_for_silence(fw);
}

/* Over HTTP/2 a handler whose client leaves is cancelled. */
ssize_t cg__http_forward_watch(struct cg__forward *fw, cg_fn *fn, void *arg)
{
    struct cg_op *forwarding = cg_call(fn, arg), *watching = cg_call(watch, fw);
    ssize_t n;

    if (strcmp(cg_http_request_protocol(fw->req), "HTTP/2") == 0)
        return fn(arg);
    n = cg_yield(cg_any((forwarding, watching)));
    return n == 0 ? cg_op_result(forwarding) : -ECANCELED;
}
