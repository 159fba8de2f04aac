/* SPDX-License-Identifier: MIT */
/* The server: its options, and the operations that serve and that end it. */
#include "config.h"

#include "http/acked.h"
#include "http/server/access_log.h"
#include "http/server/connection.h"
#include "http/server/dormant.h"
#include "http/server/h1/serve.h"
#include "http/server/h2/serve.h"
#include "http/server/log.h"
#include "http/server/places.h"
#include "http/server/route.h"
#include "lib/base/network.h"

#include <cogen/transport.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT(field, value) options->field = options->field ? options->field : (value)
#define AT_MOST(field, most)                                                           \
    options->field = options->field < (most) ? options->field : (most)

/* The windows are 31 bits (RFC 9113, 6.9.1), and that of a connection has at least the size that
 * it begins with; the others keep their arithmetic within an int. */
static void set_h2_defaults(struct cg_http_server_options *options)
{
    DEFAULT(h2_streams, CG_HTTP_STREAMS);
    DEFAULT(h2_window, CG_HTTP_REQUEST_WINDOW);
    DEFAULT(h2_all_windows, CG_HTTP_REQUEST_WINDOWS);
    DEFAULT(h2_burst, CG_HTTP_H2_BURST);
    DEFAULT(h2_rate, CG_HTTP_H2_RATE);
    AT_MOST(h2_window, INT32_MAX);
    AT_MOST(h2_all_windows, INT32_MAX);
    if (options->h2_all_windows < 65535)
        options->h2_all_windows = 65535;
    AT_MOST(h2_burst, 1000000000);
    AT_MOST(h2_rate, 1000000000);
}

static void set_defaults(struct cg_http_server_options *options)
{
    DEFAULT(protocols, CG_HTTP_H1 | CG_HTTP_H2);
    DEFAULT(header_timeout, 15 * CG_SECOND);
    DEFAULT(header_rate, CG_HTTP_HEADER_RATE);
    DEFAULT(body_timeout, 30 * CG_SECOND);
    DEFAULT(write_timeout, 30 * CG_SECOND);
    DEFAULT(idle_timeout, CG_MINUTE);
    DEFAULT(target_limit, CG_HTTP_TARGET_LIMIT);
    DEFAULT(headers_limit, CG_HTTP_HEADERS_LIMIT);
    DEFAULT(headers_count, CG_HTTP_HEADERS_COUNT);
    DEFAULT(body_limit, CG_HTTP_REQUEST_LIMIT);
    DEFAULT(drain_limit, CG_HTTP_DRAIN_LIMIT);
    DEFAULT(body_rate, CG_HTTP_BODY_RATE);
    if (options->connections == 0 ||
        (options->connections != UINT_MAX && options->connections > cg__http_places()))
        options->connections = cg__http_places();
    DEFAULT(address_connections, cg__http_places_share(options->connections));
    DEFAULT(linger_timeout, CG_SECOND);
    DEFAULT(linger_limit, CG_HTTP_LINGER_LIMIT);
    DEFAULT(compress_above, CG_HTTP_COMPRESS_ABOVE);
    set_h2_defaults(options);
}

struct cg_http_server *
cg_http_server_new_with(const struct cg_http_server_options *options)
{
    struct cg_http_server *server = calloc(1, sizeof *server);

    if (server == NULL)
        return NULL;
    if (options != NULL)
        server->options = *options;
    set_defaults(&server->options);
    server->write_wait = cg__http_acked_wait(server->options.write_timeout);
    server->small = CG__HTTP_COPY < server->options.compress_above
                        ? CG__HTTP_COPY
                        : (size_t)server->options.compress_above;
    server->limits = (struct cg__http_limits){
        .target = server->options.target_limit,
        .headers = server->options.headers_limit,
        .count = server->options.headers_count,
    };
    return server;
}

void cg_http_server_free(struct cg_http_server *server)
{
    if (server == NULL)
        return;
    cg__http_guest_forget(server);
    cg__http_h1_free_spare(server);
    cg__http_h2_free_spare(server);
    for (int i = 0; i < CG__HTTP_REPEATS; i++)
        cg__http_repeat_clear(&server->repeats[i]);
    cg__http_route_free(server);
    free(server->layers);
    free(server);
}

unsigned cg_http_server_connections(const struct cg_http_server *server)
{
    return server->all.count;
}

static const char no_memory[] = "no memory for a connection";

static struct cg_http_serve_op *of(struct cg_op *op)
{
    return (struct cg_http_serve_op *)op;
}

/* Makes the connection of an accepted socket, and counts it for its address. NULL: the
 * socket has been closed, for its address has too many connections, or there is no
 * memory. */
static struct cg__http_conn *conn_new(struct cg__http_serving *serving, struct cg_sock *sock)
{
    struct cg_http_server *server = serving->server;
    struct cg__http_conn *conn = calloc(1, sizeof *conn);
    int rc = -ENOMEM;

    if (conn != NULL) {
        *conn = (struct cg__http_conn){
            .server = server, .serving = serving, .sock = sock, .slot = server->slot++};
        rc = cg__http_places_take(conn);
    }
    if (rc == 0)
        return conn;
    if (rc == -ENOMEM)
        cg__http_log(server, no_memory);
    free(conn);
    cg_sock_close(sock);
    cg_spread_leave(serving->spread);
    return NULL;
}

static void conn_drop(struct cg__http_conn *conn)
{
    cg__http_places_leave(conn);
    cg_spread_leave(conn->serving->spread);
    cg_sock_close(conn->sock);
    free(conn);
}

static void start(struct cg__http_conn *conn)
{
    struct cg_http_server *server = conn->server;
    int rc =
        cg_sched_start(cg_sched_self(), cg__http_connection_run, conn, .name = "http",
                       .stack_size = server->options.stack_size, .coro = &conn->coro);

    if (rc < 0) {
        cg__http_log(server, no_memory);
        conn_drop(conn);
        return;
    }
    cg__http_places_enter(conn);
    conn->serving->conns++;
}

/* Waits until a connection ends. */
static ssize_t wait_end(struct cg_http_server *server, bool shield)
{
    return cg_yield(cg_wait_signal(server, NULL, .timeout = CG_NEVER, .shield = shield));
}

static void cancel_conns(struct cg_http_server *server,
                         const struct cg__http_serving *serving)
{
    struct cg__http_conn *conn = server->all.hand;

    for (unsigned i = 0; i < server->all.count; i++, conn = conn->in[CG__HTTP_ALL].next)
        if (serving == NULL || conn->serving == serving)
            cg__http_dormant_cancel(conn);
    cg__http_guest_cancel(server, serving);
}

/* Called by cg_accept when a connection could not be accepted; it goes on accepting. */
static void trouble(void *arg, int code)
{
    if (code == -EMFILE || code == -ENFILE)
        cg__http_places_short(arg);
    cg__http_log_accept(arg, code);
}

static bool is_over(const struct cg__http_serving *serving)
{
    return serving->over || serving->server->cut;
}

/* Starts a connection when the limit allows; with a grace period also when serving ends. 0, or a
 * negative code that ends serving. */
static ssize_t take(struct cg__http_serving *serving, struct cg_sock *sock)
{
    struct cg__http_conn *conn = conn_new(serving, sock);
    ssize_t n;

    if (conn == NULL)
        return 0;
    n = cg__http_places_wait(serving->server);
    if ((n < 0 && !serving->server->draining && serving->grace <= 0) ||
        is_over(serving))
        conn_drop(conn);
    else
        start(conn);
    return n;
}

/* Takes a connection that another worker has accepted. */
static ssize_t arrive(struct cg_sock *sock, void *arg)
{
    take(arg, sock);
    return 0;
}

/* Accepts a connection, for this worker or another one. 0, or a negative code that ends
 * serving. */
static ssize_t accept_one(struct cg_sock *listener, struct cg__http_serving *serving)
{
    struct cg_sock *sock;
    ssize_t n = cg_yield(cg_accept(listener, &sock, .trouble = trouble,
                                   .trouble_arg = serving->server));

    if (n < 0 || cg_spread_pass(serving->spread, sock))
        return n < 0 ? n : 0;
    return take(serving, sock);
}

/* Accepts connections until an error, a cancel or a shutdown; returns the reason, 0 for a
 * shutdown. */
static ssize_t accept_all(struct cg__http_serving *serving)
{
    ssize_t n = 0;

    cg_scope_open(&serving->scope, CG_NEVER, false);
    while (n >= 0 && !serving->server->draining)
        n = accept_one(serving->listener, serving);
    cg_scope_close(&serving->scope);
    cg_spread_close(serving->spread);
    return serving->server->draining ? 0 : n;
}

/* While the server drains: waits for a place, or until the shutdown has timed out. Returns 0, or a
 * negative code if it was cancelled. */
static ssize_t wait_place(struct cg_http_server *server)
{
    ssize_t n = 0;

    while (n >= 0 && !server->cut && server->all.count >= server->options.connections)
        n = wait_end(server, false);
    return n < 0 ? n : 0;
}

/* Serves the connections that have come already. 0, or -ECANCELED. */
static ssize_t accept_late(struct cg__http_serving *serving)
{
    struct cg_http_server *server = serving->server;
    ssize_t n = 0;

    for (int i = 0; i < CG_BACKLOG && (n = wait_place(server)) == 0 && !server->cut;
         i++) {
        struct cg__http_conn *conn;
        struct cg_sock *sock;

        n = cg_yield(cg_drain_listener(serving->listener, &sock, .trouble = trouble,
                                       .trouble_arg = server));
        if (n < 0)
            break;
        if (cg_spread_pass(serving->spread, sock))
            continue;
        conn = conn_new(serving, sock);
        if (conn != NULL)
            start(conn);
    }
    return n == -ECANCELED ? n : 0;
}

/* The listener may be closed at any time from here on: keep it until run ends. */
static enum cg_verdict serve_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    op->result = -EINVAL;
    if (cg__network_trusts(of(op)->server->options.proxy_protocol, "") < 0)
        return CG_DONE;
    op->result = -EBADF;
    if (of(op)->listener == NULL)
        return CG_DONE;
    cg_sock_keep(of(op)->listener);
    return CG_RUN;
}

/* Called if there is no memory to run the op: nothing has begun. */
static enum cg_verdict serve_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg_sock_unkeep(of(op)->listener);
    return CG_DONE;
}

/* Connections that other workers have handed over already arrive soon. */
static void wait_for_the_coming(const struct cg__http_serving *serving)
{
    while (cg_spread_close(serving->spread) > 0)
        cg_yield(cg_sleep(CG_MILLISECOND, .shield = true));
}

/* Accepts no more: releases the listener, and wakes a shutdown. */
static void end_accepting(struct cg__http_serving *serving)
{
    wait_for_the_coming(serving);
    serving->accepts = false;
    cg_sock_unkeep(serving->listener);
    serving->listener = NULL;
    cg_yield(cg_signal(serving->server, NULL, .shield = true, .prio = CG_PRIO_CORO));
}

/* While the server drains: serves what has come, and waits until its connections have ended. 0,
 * or a negative code if it was cancelled. */
static ssize_t end(void *arg)
{
    struct cg__http_serving *serving = arg;
    ssize_t n = 0;

    if (serving->listener != NULL) {
        n = accept_late(serving);
        if (n < 0)
            return n;
        end_accepting(serving);
    }
    while (n >= 0 && serving->conns > 0)
        n = wait_end(serving->server, false);
    return n < 0 ? n : 0;
}

/* Shuts the server down. 0, or a negative code if the grace period is over. */
static ssize_t end_gently(struct cg__http_serving *serving)
{
    struct cg_op *rest = cg_call(end, serving);
    ssize_t n;

    /* There may be no memory for the call, so no shutdown waits for it. */
    serving->accepts = false;
    n = cg_yield(cg_all((cg_http_shutdown(serving->server, .timeout = serving->grace), rest),
                        .timeout = serving->grace, .shield = true));
    return n < 0 ? n : cg_op_result(rest);
}

static void end_at_once(struct cg__http_serving *serving)
{
    serving->over = true;
    cancel_conns(serving->server, serving);
    if (serving->listener != NULL)
        end_accepting(serving);
    while (serving->conns > 0)
        wait_end(serving->server, true);
}

static int open_serving(struct cg__http_serving *serving, const char *spread)
{
    struct cg_http_server *server = serving->server;
    int rc = cg_spread_open(spread, arrive, serving, &serving->spread);

    server->sched = cg_sched_self();
    server->reactor = cg_sched_reactor(server->sched);
    if (rc == 0 && cg__http_dormant_open(server, cg__http_connection_resume) < 0) {
        cg_spread_close(serving->spread);
        rc = -ENOMEM;
    }
    return rc;
}

/* What the listener does not say for itself is as for the whole server. */
static struct cg__http_serving serving_of(const struct cg_http_serve_op *op)
{
    const struct cg_http_server_options *options = &op->server->options;
    bool wraps = op->wrap != NULL;

    return (struct cg__http_serving){
        .next = op->server->serving,
        .server = op->server,
        .listener = op->listener,
        .grace = op->grace,
        .wrap = wraps ? op->wrap : options->wrap,
        .wrap_arg = wraps ? op->wrap_arg : options->wrap_arg,
        .protocols = op->protocols != 0 ? op->protocols : options->protocols,
        .accepts = true,
    };
}

static ssize_t serve_run(struct cg_op *op)
{
    struct cg_http_server *server = of(op)->server;
    struct cg__http_serving serving = serving_of(of(op));
    struct cg__http_serving **at = &server->serving;
    ssize_t n = open_serving(&serving, of(op)->spread), left;

    if (n < 0) {
        cg_sock_unkeep(of(op)->listener);
        return n;
    }
    server->serving = &serving;
    n = accept_all(&serving);
    if (n == 0) /* a shutdown, which has a timeout of its own */
        n = end(&serving);
    left = n;
    if (n < 0 && serving.grace > 0)
        left = end_gently(&serving);
    if (left < 0)
        end_at_once(&serving);
    while (*at != &serving)
        at = &(*at)->next;
    *at = serving.next;
    if (server->serving == NULL) {
        cg__http_access_log_end(server);
        cg__http_dormant_close(server);
    }
    while (server->late.queued) /* the deferred call cannot be cancelled */
        cg_yield(cg_sleep(0, .shield = true));
    return n;
}

const struct cg_op_type cg_http_serve_type = {
    .name = "http_serve",
    .process = serve_process,
    .cancel = serve_cancel,
    .run = serve_run,
};

static struct cg_http_shutdown_op *shutdown_of(struct cg_op *op)
{
    return (struct cg_http_shutdown_op *)op;
}

static int64_t idle_of(const struct cg_http_shutdown_op *shutdown)
{
    int64_t idle = shutdown->idle == 0 ? CG_SECOND : shutdown->idle;

    if (shutdown->timeout > 0 && shutdown->timeout / 2 < idle)
        idle = shutdown->timeout / 2;
    return idle > 0 ? idle : 0;
}

static bool is_running(const struct cg_http_server *server)
{
    const struct cg__http_serving *each = server->serving;

    while (each != NULL && !each->accepts)
        each = each->next;
    return server->all.count > 0 || each != NULL;
}

/* Lets the connections that wait for a request end, unless one has come. */
static void end_waits(struct cg_http_server *server)
{
    struct cg__http_conn *conn = server->all.hand;

    for (unsigned i = 0; i < server->all.count; i++, conn = conn->in[CG__HTTP_ALL].next)
        cg__http_dormant_end_wait(conn);
}

static void tell_drain(struct cg_http_server *server)
{
    struct cg__http_conn *conn = server->all.hand;

    for (unsigned i = 0; i < server->all.count; i++, conn = conn->in[CG__HTTP_ALL].next)
        if (conn->session != NULL)
            cg__http_h2_drain(conn);
}

/* Connections that begin to wait for a request from now on time out after `idle`. Those
 * that wait already are ended here, `idle` after the shutdown began. */
static ssize_t shutdown_run(struct cg_op *op)
{
    struct cg_http_server *server = shutdown_of(op)->server;
    int64_t idle = idle_of(shutdown_of(op)), until;
    ssize_t n = 0;

    server->draining = true;
    server->drain_idle = idle;
    until = cg_sched_now(cg_sched_self()) + idle;
    for (struct cg__http_serving *each = server->serving; each != NULL; each = each->next)
        cg_scope_cancel(&each->scope);
    cg__http_guest_tell(server);
    tell_drain(server);
    cg_yield(cg_signal(&server->draining, NULL, .shield = true, .prio = CG_PRIO_CORO));
    while (is_running(server) && n >= 0) {
        n = cg_yield(cg_wait_signal(server, NULL, .timeout = CG_NEVER, .deadline = until));
        if (n != -ETIMEDOUT)
            continue;
        end_waits(server);
        until = CG_NEVER;
        n = 0;
    }
    server->cut = n < 0;
    if (n < 0)
        cancel_conns(server, NULL);
    while (is_running(server))
        wait_end(server, true);
    return n < 0 ? n : 0;
}

const struct cg_op_type cg_http_shutdown_type = {
    .name = "http_shutdown",
    .flags = CG_OP_ANYHOW,
    .run = shutdown_run,
};

static ssize_t wait_shutdown_run(struct cg_op *op)
{
    struct cg_http_server *server = shutdown_of(op)->server;
    ssize_t n = 0;

    while (!server->draining && n >= 0)
        n = cg_yield(cg_wait_signal(&server->draining, NULL, .timeout = CG_NEVER));
    return n < 0 ? n : 0;
}

const struct cg_op_type cg_http_wait_shutdown_type = {
    .name = "http_wait_shutdown",
    .run = wait_shutdown_run,
};
