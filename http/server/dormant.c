/* SPDX-License-Identifier: MIT */
/* Connections that wait for a request without a coroutine: of one that is idle for long, its
 * socket and a struct cg__http_conn are left. */
#include "config.h"

#include "http/server/dormant.h"

#include <errno.h>
#include <stddef.h>

int cg__http_dormant_open(struct cg_http_server *server, cg_fn *resume)
{
    if (server->starter == NULL)
        server->starter = cg_starter_new(cg_sched_self(), resume, .name = "http",
                                         .stack_size = server->options.stack_size);
    return server->starter != NULL ? 0 : -ENOMEM;
}

void cg__http_dormant_close(struct cg_http_server *server)
{
    cg_starter_free(server->starter);
    cg_starter_free(server->guest_starter);
    server->starter = server->guest_starter = NULL;
}

static void clear(struct cg__http_conn *conn)
{
    conn->out = conn->written = NULL;
    conn->writer = NULL;
    conn->next_late = NULL;
}

/* Output was usually written before the wait. */
bool cg__http_dormant_begin(struct cg__http_conn *conn, int64_t end)
{
    if (conn->out != NULL || conn->writer != NULL || conn->written != NULL || conn->late)
        return false;
    conn->dormant = *(struct cg_wait_input_op *)cg_wait_input(conn->sock, .timeout = CG_NEVER,
                                                              .deadline = end);
    if (cg_starter_await(conn->server->starter, &conn->dormant.op) < 0) {
        clear(conn);
        return false;
    }
    cg_coro_unref(conn->coro);
    conn->coro = NULL;
    return true;
}

struct cg__http_conn *cg__http_dormant_end(struct cg_op *op)
{
    struct cg__http_conn *conn =
        (struct cg__http_conn *)((char *)op - offsetof(struct cg__http_conn, dormant));

    clear(conn);
    conn->coro = cg_coro_ref(cg_coro_self());
    if (conn->cancelled)
        cg_coro_cancel(conn->coro);
    return conn;
}

static void end_dormant(struct cg__http_conn *conn)
{
    if (conn->sock != NULL) /* otherwise a guest has it */
        cg_starter_cancel(conn->server->starter, &conn->dormant.op);
}

/* If the wait has just ended and its coroutine is about to be started, only the flag tells. */
void cg__http_dormant_cancel(struct cg__http_conn *conn)
{
    conn->cancelled = true;
    if (conn->coro != NULL)
        cg_coro_cancel(conn->coro);
    else
        end_dormant(conn);
}

void cg__http_dormant_end_wait(struct cg__http_conn *conn)
{
    if (conn->coro == NULL)
        end_dormant(conn);
    else if (conn->phase == CG__HTTP_IDLE)
        cg_scope_cancel(&conn->wait);
}
