/* SPDX-License-Identifier: MIT */
/* The accept loop: starts a coroutine for each connection, and ends when all of them have
 * ended. See cg_serve(3). */
#ifndef COGEN_SERVE_H
#define COGEN_SERVE_H

#include <cogen/group.h>
#include <cogen/proxied.h>
#include <cogen/sock.h>

/* Serves a connection, and closes it at its end. `arg` is the keyword .arg of cg_serve. */
typedef ssize_t cg_handler(struct cg_sock *conn, void *arg);

#ifndef __cplusplus

struct cg_serve_op {
    CG_OP_HEAD;
    struct cg_sock *listener;
    cg_handler *handler;
    void *arg;
    const char *name;
    const char *spread;
    const char *proxies;
    int64_t grace;
    unsigned limit;
    unsigned stack_size;
};

/* cg_serve(listener, handler): accepts connections and runs handler(conn, arg) for each in
 * a coroutine of its own, until the op is cancelled or times out, or the listener fails or
 * is closed. Then it stops accepting, waits until all handlers have ended, and completes
 * with the reason: -ECANCELED, -ETIMEDOUT, -EBADF ... Connections that have come by then
 * and were not accepted yet, at most CG_BACKLOG, are served within .grace; without a grace
 * period they stay with the listener. Lack of memory, and the errors that cg_accept
 * survives, lose at most one connection. The listener is borrowed. Keywords:
 *   .arg         passed to each handler
 *   .limit       connections at a time; more wait in the listener's backlog. 0: no limit
 *   .grace       how long handlers may continue after the end, in ns, before they are
 *                cancelled. 0: cancelled at once; CG_NEVER: no limit
 *   .spread      in a crew: the service's name, the same on all workers that offer it. Each
 *                new connection goes to the worker that serves the fewest under this name,
 *                before anything is read. It counts for that worker's .limit, which may be
 *                exceeded by connections that are on their way. NULL: all stay here. Borrowed.
 *                One server of a name on each worker: a second one completes with -EEXIST
 *   .proxies     the proxies that begin their connections with the PROXY protocol, version 1 or 2:
 *                addresses and networks, "127.0.0.1, 10.0.0.0/8", or "unix". The handler begins
 *                behind the header, and cg_sock_peer_addr has the client's address. A connection of
 *                theirs without a valid header within CG_PROXY_HEADER_TIMEOUT is closed. An item
 *                that is none of these: -EINVAL. Borrowed
 *   .name        of the coroutines, borrowed
 *   .stack_size  of each coroutine, bytes; 0: the scheduler's default
 * The result of a handler does not end the server. A negative result is reported as a
 * failure that nobody takes (cg_sched_set_failed), except codes that peers and the network
 * cause every day: CG_EOF, -ECONNRESET, -ECONNABORTED, -ENOTCONN, -EPIPE, -ETIMEDOUT,
 * -EHOSTUNREACH, -ENETUNREACH, -ENETDOWN, and for invalid input -EPROTO and -EMSGSIZE. */
#define cg_serve(...) cg__serve(__VA_ARGS__, )
#define cg__serve(l, h, ...) CG_OP(cg_serve, .listener = (l), .handler = (h), __VA_ARGS__)

#endif

/* One worker's part in a service that workers share by .spread. */
struct cg_spread;

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_serve_type;

/* For accept loops that are not cg_serve, in a coroutine of the worker. */

/* Offers the calling worker to the others under the name of a service. From then on
 * fn(conn, arg) is called here, in coroutines of their own, for connections that others
 * have accepted; it must return soon. Returns 0; *spread is NULL outside a crew or if
 * service is NULL; -EEXIST: this worker has opened this name already; -ENOMEM. The name is
 * copied. */
CG_API int cg_spread_open(const char *service, cg_handler *fn, void *arg,
                          struct cg_spread **spread);

/* Counts an accepted connection for the worker that has the fewest. If that is another one,
 * the connection is handed to it and its ownership passes: true. False: it is to be served
 * here. NULL: false. */
CG_API bool cg_spread_pass(struct cg_spread *spread, struct cg_sock *conn);

/* To be called when a connection that was counted here has ended, also one for which fn was
 * called. NULL is ignored. */
CG_API void cg_spread_leave(struct cg_spread *spread);

/* Takes no more connections. Returns how many are still on their way here, or in fn; as
 * long as there are any, arg must stay valid and this must be called again, after a pause.
 * 0 for NULL. */
CG_API unsigned cg_spread_close(struct cg_spread *spread);

CG_EXTERN_C_END
#endif
