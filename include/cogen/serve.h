/* SPDX-License-Identifier: MIT */
/* The accept loop: a coroutine for each connection, none of which outlives it. See
 * cg_serve(3). */
#ifndef COGEN_SERVE_H
#define COGEN_SERVE_H

#include <cogen/group.h>
#include <cogen/sock.h>

/* What serves a connection: closes it at its end. `arg` is the keyword .arg of cg_serve. */
typedef ssize_t cg_handler(struct cg_sock *conn, void *arg);

#ifndef __cplusplus

struct cg_serve_op {
    CG_OP_HEAD;
    struct cg_sock *listener;
    cg_handler *handler;
    void *arg;
    const char *name;
    int64_t grace;
    unsigned limit;
    unsigned stack_size;
};

/* cg_serve(listener, handler): accepts connections and runs handler(conn, arg) for each
 * in a coroutine of its own, until it is cancelled, times out, or the listener fails or
 * is closed. Then it accepts no more, waits until the handlers have ended, and answers
 * why: -ECANCELED, -ETIMEDOUT, -EBADF ... A connection that has come too late stays with
 * the listener. A lack of memory, and whatever else cg_accept does not end for, costs a
 * connection at most.
 * Keywords:
 *   .arg         given to each handler
 *   .limit       connections at a time; more wait in the listener's backlog. 0: no limit
 *   .grace       how long handlers may go on after the end, ns; then they are cancelled.
 *                0: at once; CG_NEVER: as they like
 *   .name        of the coroutines, borrowed
 *   .stack_size  of each, bytes; 0: the scheduler's default
 * What a handler answers does not end the server. A negative answer is told as a failure
 * that nobody takes (cg_sched_set_failed), unless it is one that a peer or the network can
 * bring about, which is a server's daily business: CG_EOF, -ECONNRESET, -ECONNABORTED,
 * -ENOTCONN, -EPIPE, -ETIMEDOUT, -EHOSTUNREACH, -ENETUNREACH, -ENETDOWN, and -EPROTO and
 * -EMSGSIZE for what it sent. The listener is borrowed. */
#define cg_serve(...) cg__serve(__VA_ARGS__, )
#define cg__serve(l, h, ...) CG_OP(cg_serve, .listener = (l), .handler = (h), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN
extern CG_API const struct cg_op_type cg_serve_type;
CG_EXTERN_C_END
#endif
