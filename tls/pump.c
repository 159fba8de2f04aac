/* SPDX-License-Identifier: MIT */
/* Moves ciphertext between the inner socket and a connection's memory. Two coroutines may
 * use a connection. At any time one of them pumps a direction; the other waits for its
 * progress, and takes over if the first is cancelled. */
#include "config.h"

#include "tls/conn.h"

#include <assert.h>
#include <errno.h>

enum { PARTS = 8 }; /* of one write: more than the queue's limit needs */

static enum cg_verdict wait_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg__tls_wait_op *wait = (struct cg__tls_wait_op *)op;

    (void)sched;
    assert(wait->conn->waits[wait->way] == NULL); /* there are only two coroutines */
    wait->conn->waits[wait->way] = wait;
    return CG_PENDING;
}

static enum cg_verdict wait_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg__tls_wait_op *wait = (struct cg__tls_wait_op *)op;

    (void)sched;
    wait->conn->waits[wait->way] = NULL;
    return CG_DONE;
}

static const struct cg_op_type cg__tls_wait_type = {
    .name = "tls wait",
    .flags = CG_OP_LOCAL,
    .process = wait_process,
    .cancel = wait_cancel,
};

static int wait_for_other(struct cg__tls_conn *conn, enum cg__tls_way way)
{
    return (int)cg_yield(CG_OP(cg__tls_wait, .conn = conn, .way = way));
}

static void begin(struct cg__tls_conn *conn, enum cg__tls_way way)
{
    assert(!conn->pumped[way]);
    conn->pumped[way] = true;
}

static void end(struct cg__tls_conn *conn, enum cg__tls_way way)
{
    struct cg__tls_wait_op *wait = conn->waits[way];

    conn->pumped[way] = false;
    conn->waits[way] = NULL;
    if (wait != NULL)
        cg_op_complete(&wait->op, 0);
}

/* A write to the inner socket has completed. After a cancellation or a lack of memory it
 * can be tried again; every other error is final. */
static void sent(struct cg__tls_conn *conn, ssize_t result, size_t moved)
{
    cg__tls_queue_drop(&conn->queue, moved);
    if (result < 0 && result != -ECANCELED && result != -ENOMEM && result != -ENOBUFS)
        conn->send_error = (int)result;
    end(conn, CG__TLS_OUT);
}

static bool can_send(const struct cg__tls_conn *conn)
{
    return cg__tls_queue_size(&conn->queue) > 0 && !conn->pumped[CG__TLS_OUT] &&
           conn->send_error == 0;
}

/* The queue is left behind. A coroutine that waits for input may wait for the response to
 * what is in it, so it must send the rest. */
static void leave_to_filler(struct cg__tls_conn *conn)
{
    if (can_send(conn) && conn->filler != NULL)
        cg_scope_cancel(conn->filler);
}

/* The timeout is that of the op that asked, so the inner op has none. */
static int send_some(struct cg__tls_conn *conn)
{
    struct iovec parts[PARTS];
    int n = cg__tls_queue_show(&conn->queue, parts, PARTS);
    size_t moved = 0;
    ssize_t result;

    begin(conn, CG__TLS_OUT);
    result = cg_yield(
        cg_writev(conn->inner, parts, n, .timeout = CG_NEVER, .moved = &moved));
    sent(conn, result, moved);
    if (result < 0)
        leave_to_filler(conn);
    return result < 0 ? (int)result : 0;
}

int cg__tls_pump_flush(struct cg__tls_conn *conn)
{
    uint64_t goal = conn->queue.in;
    int rc;

    while (conn->queue.out < goal) {
        if (conn->send_error < 0)
            return conn->send_error;
        rc = conn->pumped[CG__TLS_OUT] ? wait_for_other(conn, CG__TLS_OUT)
                                       : send_some(conn);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* A borrow from the inner socket has completed. */
static int received(struct cg__tls_conn *conn, ssize_t result, const struct cg_view *view)
{
    if (result > 0)
        conn->view = *view;
    conn->used = 0;
    conn->ended |= result == 0;
    end(conn, CG__TLS_IN);
    return result < 0 ? (int)result : 0;
}

static int receive(struct cg__tls_conn *conn)
{
    struct cg_scope scope;
    struct cg_view view;
    ssize_t result;
    int rc;

    begin(conn, CG__TLS_IN);
    cg_scope_open(&scope, CG_NEVER, false);
    conn->filler = &scope;
    result = cg_yield(cg_borrow(conn->inner, &view, .timeout = CG_NEVER));
    conn->filler = NULL;
    rc = received(conn, result, &view);
    if (cg_scope_close(&scope) < 0 && rc == -ECANCELED)
        return 1; /* now there is something to send */
    return rc;
}

/* Tickets wait while there is input: the reader may soon write, and then both go at once. */
static int receive_and_send(struct cg__tls_conn *conn)
{
    struct iovec parts[PARTS];
    int n = cg__tls_queue_show(&conn->queue, parts, PARTS), rc;
    bool late = conn->queue.in == conn->tickets;
    size_t moved = 0;
    struct cg_view view;
    /* If the race is refused, they keep this result. */
    struct cg_op *send = cg_writev(conn->inner, parts, n, .timeout = CG_NEVER,
                                   .moved = &moved, .result = -ECANCELED);
    struct cg_op *borrow = cg_borrow(conn->inner, &view, .timeout = CG_NEVER,
                                     .result = -ECANCELED);
    ssize_t result;

    begin(conn, CG__TLS_OUT);
    begin(conn, CG__TLS_IN);
    rc = (int)cg_yield(late ? cg_any((borrow, send)) : cg_any((send, borrow)));
    sent(conn, cg_op_result(send), moved);
    /* A race that was cancelled may have been won before: then the view is lent. */
    result = cg_op_result(borrow);
    if (result == -ECANCELED && rc >= 0) {
        end(conn, CG__TLS_IN);
        rc = (int)cg_op_result(send);
        return rc < 0 && conn->send_error == 0 ? rc : 1; /* to try again at once is useless */
    }
    return received(conn, result >= 0 || rc >= 0 ? result : rc, &view);
}

int cg__tls_pump_fill(struct cg__tls_conn *conn)
{
    if (conn->pumped[CG__TLS_IN])
        return wait_for_other(conn, CG__TLS_IN);
    return can_send(conn) ? receive_and_send(conn) : receive(conn);
}

ssize_t cg__tls_pump_poll(struct cg__tls_conn *conn, unsigned events)
{
    ssize_t result;

    while (conn->pumped[CG__TLS_OUT])
        if (events & CG_IN)
            return -EBUSY;
        else if ((result = wait_for_other(conn, CG__TLS_OUT)) < 0)
            return result;
    begin(conn, CG__TLS_OUT);
    result = cg_yield(cg_poll_sock(conn->inner, events, .timeout = CG_NEVER));
    end(conn, CG__TLS_OUT);
    leave_to_filler(conn);
    return result;
}
