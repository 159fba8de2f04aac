/* SPDX-License-Identifier: MIT */
/* cg_serve: accepts in a loop and runs a handler for each connection in a group. It
 * acquires a place before it accepts, so that at the limit further connections wait in
 * the kernel's backlog. */
#include "config.h"

#include "lib/base/network.h"
#include "sockets/listen/accept.h"

#include <cogen/serve.h>
#include <cogen/sync.h>

#include <errno.h>
#include <stdio.h>

_Static_assert(sizeof(struct cg_serve_op) <= 144, "yielded once by each server");

struct server {
    struct cg_group group; /* must be first: a handler's coroutine finds its server
                            * through it */
    struct cg_serve_op *op;
    struct cg_semaphore places;
    struct cg_spread *spread; /* NULL: all connections stay here */
};

static void give_place(struct server *server)
{
    if (server->op->limit)
        cg_semaphore_release(&server->places, 1);
}

/* Whether the peer or the network can cause this error. */
static bool is_peers(ssize_t result)
{
    switch (result) {
    case CG_EOF:
    case -ECONNRESET:
    case -ECONNABORTED:
    case -ENOTCONN:
    case -EPIPE:
    case -ETIMEDOUT:
    case -EHOSTUNREACH:
    case -ENETUNREACH:
    case -ENETDOWN:
    case -EPROTO:
    case -EMSGSIZE:
        return true;
    default:
        return false;
    }
}

static ssize_t serve_one(struct server *server, struct cg_sock *conn)
{
    const char *proxies = server->op->proxies;
    ssize_t result = 0;

    if (proxies != NULL)
        result = cg_yield(
            cg_read_proxy_header(conn, .from = proxies, .timeout = CG_PROXY_HEADER_TIMEOUT));
    if (result < 0)
        cg_sock_close(conn);
    else
        result = server->op->handler(conn, server->op->arg);

    cg_spread_leave(server->spread);
    return is_peers(result) ? 0 : result;
}

static ssize_t handle(void *conn)
{
    struct server *server = (struct server *)cg_group_self();
    ssize_t result = serve_one(server, conn);

    give_place(server);
    return result;
}

/* For a connection that came from another worker when all places were taken here. */
static ssize_t handle_beyond_limit(void *conn)
{
    return serve_one((struct server *)cg_group_self(), conn);
}

struct late_call {
    struct server *server;
    struct cg_sock *conn;
};

static ssize_t serve_call(void *arg)
{
    struct late_call *call = arg;

    return serve_one(call->server, call->conn);
}

/* Takes a connection from another worker, in a coroutine of its own. The server does not end
 * before it returns: see wait_for_the_coming. */
static ssize_t arrive(struct cg_sock *conn, void *arg)
{
    struct server *server = arg;
    const struct cg_serve_op *op = server->op;
    struct cg_coro_options options = {.name = op->name ? op->name : "handler",
                                      .stack_size = op->stack_size};
    struct late_call late = {server, conn};
    bool placed = op->limit == 0 ||
                  cg_yield(cg_acquire(&server->places, .timeout = CG_NOWAIT)) == 0;
    ssize_t rc = cg_group_start_with(
        &server->group, placed ? handle : handle_beyond_limit, conn, &options, NULL);

    if (rc < 0 && placed)
        give_place(server);
    if (rc < 0 && rc != -ENOMEM && op->grace > 0) { /* the group takes nobody any more */
        rc = cg_yield(cg_call(serve_call, &late, .timeout = op->grace, .shield = true));
    } else if (rc < 0) {
        cg_sock_close(conn);
        cg_spread_leave(server->spread);
    }
    return 0;
}

static ssize_t take_place(struct server *server)
{
    return server->op->limit ? cg_yield(cg_acquire(&server->places)) : 0;
}

/* Serves one more connection. A negative result ends the server. Among others a worker
 * without places accepts, too, since the others may have some; then one connection may
 * wait for a place here. */
static ssize_t serve_next(struct server *server, const struct cg_coro_options *options)
{
    struct cg_serve_op *op = server->op;
    bool shared = server->spread != NULL;
    struct cg_sock *conn;
    ssize_t rc = shared ? 0 : take_place(server);

    if (rc < 0)
        return rc;
    rc = cg_yield(cg_accept(op->listener, &conn));
    if (rc < 0)
        return rc;
    if (cg_spread_pass(server->spread, conn))
        return 0;
    rc = shared ? take_place(server) : 0;
    if (rc == 0) {
        rc = cg_group_start_with(&server->group, handle, conn, options, NULL);
        if (rc == 0)
            return 0;
        give_place(server);
    }
    cg_spread_leave(server->spread);
    if (rc != -ECANCELED || !cg__accept_undo(op->listener, conn))
        cg_sock_close(conn);
    return rc == -ECANCELED ? rc : 0;
}

static bool has_place(const struct server *server, const struct server *late)
{
    unsigned limit = server->op->limit;

    return limit == 0 || cg_group_count(&server->group) + cg_group_count(&late->group) < limit;
}

/* In the grace period: serves the connections that have come already. The group of the
 * others takes no member any more, so they get one of their own, which ends at the same
 * moment. */
static void serve_late(struct server *server, const struct cg_coro_options *options)
{
    struct cg_serve_op *op = server->op;
    struct server late = {.op = op};
    struct cg_sock *conn;

    cg_group_open(&late.group, .shield = true, .timeout = op->grace, .keep_going = true);
    late.group.result = -ECANCELED;
    for (int i = 0; i < CG_BACKLOG && has_place(server, &late); i++) {
        if (cg_yield(cg_drain_listener(op->listener, &conn)) < 0)
            break;
        if (cg_group_start_with(&late.group, handle, conn, options, NULL) < 0)
            cg_sock_close(conn);
    }
    cg_yield(cg_wait_group(&late.group));
}

/* The listener may be closed at any time from now on, so it is kept. */
static enum cg_verdict serve_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_serve_op *serve = (struct cg_serve_op *)op;

    (void)sched;
    op->result = -EINVAL;
    if (serve->handler == NULL || cg__network_trusts(serve->proxies, "") < 0)
        return CG_DONE;
    op->result = -EBADF;
    if (serve->listener == NULL)
        return CG_DONE;
    cg_sock_keep(serve->listener);
    return CG_RUN;
}

/* Called only when there is no memory to run the op. */
static enum cg_verdict serve_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg_sock_unkeep(((struct cg_serve_op *)op)->listener);
    return CG_DONE;
}

/* Connections that others have sent before the spread was closed arrive soon. */
static void wait_for_the_coming(struct server *server)
{
    while (cg_spread_close(server->spread) > 0)
        cg_yield(cg_sleep(CG_MILLISECOND, .shield = true));
}

static ssize_t serve_run(struct cg_op *op)
{
    struct cg_serve_op *serve = (struct cg_serve_op *)op;
    struct server server = {.op = serve, .places = {.units = serve->limit}};
    struct cg_coro_options options = {.name = serve->name ? serve->name : "handler",
                                      .stack_size = serve->stack_size};
    ssize_t rc;

    cg_group_open(&server.group, .grace = serve->grace, .keep_going = true);
    server.group.result = -ECANCELED; /* nobody takes the first failure: all are told */
    rc = cg_spread_open(serve->spread, arrive, &server, &server.spread);
    while (rc >= 0)
        rc = serve_next(&server, &options);
    cg_spread_close(server.spread);
    cg_group_cancel(&server.group);
    if (serve->grace > 0 && (rc == -ECANCELED || rc == -ETIMEDOUT))
        serve_late(&server, &options);
    cg_sock_unkeep(serve->listener);
    cg_yield(cg_wait_group(&server.group));
    wait_for_the_coming(&server);
    return rc;
}

static int serve_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_serve_op *serve = (const struct cg_serve_op *)op;

    return snprintf(buf, size, "%s", serve->name ? serve->name : "handler");
}

const struct cg_op_type cg_serve_type = {
    .name = "serve",
    .process = serve_process,
    .cancel = serve_cancel,
    .run = serve_run,
    .print = serve_print,
};
