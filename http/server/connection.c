/* SPDX-License-Identifier: MIT */
/* A connection. Its coroutine waits, without a buffer, for the first byte of a request.
 * Then it serves all requests that have come, and writes their responses together. If no
 * request comes for a while, the coroutine ends, and another one is started when one does. */
#include "config.h"

#include "http/server/clocks.h"
#include "http/server/connection.h"
#include "http/server/dormant.h"
#include "http/server/h1/serve.h"
#include "http/server/h2/serve.h"
#include "http/server/metrics.h"
#include "http/server/output.h"
#include "http/server/places.h"
#include "http/server/proxied.h"

#include <cogen/transport.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A client that still sends must not lose the last response. Some clients send all of a
 * large request before they read. */
static void linger(struct cg__http_conn *conn)
{
    const struct cg_http_server_options *options = &conn->server->options;
    struct cg_sock *sock = conn->sock;

    cg__http_output_end(conn);
    conn->sock = NULL;
    conn->phase = CG__HTTP_LINGERS;
    conn->since = cg_sched_now(cg_sched_self());
    cg_yield(cg_close_gently(
        sock, .timeout = options->linger_timeout, .weak_timeout = true,
        .deadline = cg__moment_after(conn->since, options->body_timeout),
        .most = options->linger_limit));
    conn->phase = CG__HTTP_AT_WORK;
}

static void finish(struct cg__http_conn *conn)
{
    struct cg_http_server *server = conn->server;

    cg__http_output_end(conn);
    cg_sock_close(conn->sock);
    cg__http_places_leave(conn);
    cg_spread_leave(conn->serving->spread);
    cg__http_repeat_disown(&server->repeats[conn->slot], conn);
    conn->serving->conns--;
    free(conn->peer);
    cg_coro_unref(conn->coro);
    free(conn);
    /* Wakes cg__http_places_wait, and serve and shutdown, which wait for connections to
     * end. */
    cg_yield(cg_signal(server, NULL, .shield = true, .prio = CG_PRIO_CORO));
}

void cg__http_connection_leave(struct cg__http_guest *guest)
{
    struct cg__http_serving *serving = guest->serving;

    cg__http_guest_remove(guest);
    if (guest->conn != NULL) {
        finish(guest->conn);
        return;
    }
    serving->conns--;
    cg_yield(cg_signal(serving->server, NULL, .shield = true, .prio = CG_PRIO_CORO));
}

/* A guest goes on with the connection, which counts until that has ended. */
static void stay(struct cg__http_conn *conn)
{
    cg_coro_unref(conn->coro);
    conn->coro = NULL;
    cg__http_guest_begin(conn->guest, conn->serving, conn);
}

static ssize_t wait_until(struct cg__http_conn *conn, struct cg_view *view, int64_t end)
{
    return cg_yield(cg_borrow(conn->sock, view, .timeout = CG_NEVER, .deadline = end));
}

/* Not inline: its operation would enlarge the frame of each request. */
__attribute__((noinline)) static ssize_t look_again(struct cg__http_conn *conn,
                                                    struct cg_view *view)
{
    return cg_yield(cg_borrow(conn->sock, view, .timeout = CG_NOWAIT));
}

/* Serves what the wait has brought. If a shutdown has ended the wait, it looks once more:
 * a request may have come since. */
static enum cg__http_outcome serve_woken(struct cg__http_conn *conn, struct cg_view *view,
                                         ssize_t n)
{
    conn->phase = CG__HTTP_AT_WORK;
    if (conn->server->draining && (n == -ETIMEDOUT || n == -ECANCELED))
        n = look_again(conn, view);
    return n > 0 ? cg__http_h1_serve(conn, view) : CG__HTTP_CLOSE_NOW;
}

/* Waits on until the moment `end`, and serves what comes; unless the wait can go on without
 * a coroutine. The scope `wait` is closed before and after. */
static enum cg__http_outcome wait_on(struct cg__http_conn *conn, int64_t end)
{
    struct cg_view view;
    ssize_t n;

    if (cg__http_dormant_begin(conn, end))
        return CG__HTTP_DORMANT;
    cg_scope_open(&conn->wait, CG_NEVER, false);
    n = wait_until(conn, &view, end);
    cg_scope_close(&conn->wait);
    return serve_woken(conn, &view, n);
}

/* Serves requests one after the other. Between them the connection holds no buffer, and after
 * CG__HTTP_AWAKE not even a stack: CG__HTTP_DORMANT. It is idle since the moment `since`, and
 * has a coroutine since `now`. The scope `wait` may stay open while requests are served, because
 * a shutdown cancels it only in the phase IDLE. If a shutdown cancels it in the very turn in which
 * bytes come, the scope is closed before anything else is yielded. */
static enum cg__http_outcome serve_all(struct cg__http_conn *conn, int64_t since, int64_t now)
{
    enum cg__http_outcome outcome = CG__HTTP_GO_ON;
    struct cg_view view;
    int64_t end, awake;
    ssize_t n;

    cg_scope_open(&conn->wait, CG_NEVER, false);
    do {
        end = cg__moment_after(since, cg__http_clocks_idle(conn));
        awake = cg__moment_after(now, CG__HTTP_AWAKE);
        conn->phase = CG__HTTP_IDLE;
        conn->since = since;
        n = wait_until(conn, &view, awake < end ? awake : end);
        if (n <= 0 || conn->server->draining)
            break;
        outcome = serve_woken(conn, &view, n);
        since = now = cg_sched_now(conn->server->sched); /* the turn's time: no system call */
    } while (outcome == CG__HTTP_GO_ON);
    if (cg_scope_close(&conn->wait) == 0 && n == -ETIMEDOUT && awake < end)
        return wait_on(conn, end);
    return outcome != CG__HTTP_GO_ON ? outcome : serve_woken(conn, &view, n);
}

/* Waits for the first byte of a proxy's header or of a TLS handshake. A shutdown ends the wait,
 * as in serve_all. */
static bool has_begun(struct cg__http_conn *conn)
{
    ssize_t n;

    conn->phase = CG__HTTP_IDLE;
    conn->since = cg_sched_now(cg_sched_self());
    cg_scope_open(&conn->wait, CG_NEVER, false);
    n = cg_yield(cg_wait_input(conn->sock, .timeout = CG_NEVER,
                               .deadline = cg__moment_after(
                                   conn->since, cg__http_clocks_idle(conn))));
    cg_scope_close(&conn->wait);
    conn->phase = CG__HTTP_AT_WORK;
    if (conn->server->draining && (n == -ETIMEDOUT || n == -ECANCELED))
        n = cg_yield(cg_wait_input(conn->sock, .timeout = CG_NOWAIT));
    return n >= 0;
}

static ssize_t wrap(void *arg)
{
    struct cg__http_conn *conn = arg;
    ssize_t n;

    conn->phase = CG__HTTP_IN_HEAD;
    n = conn->serving->wrap(&conn->sock, conn->serving->wrap_arg);
    conn->phase = CG__HTTP_AT_WORK;
    return n;
}

/* A client that speaks plain HTTP to a TLS port gets a plain response that says so. */
static enum cg__http_outcome wrapped(struct cg__http_conn *conn)
{
    static const char refusal[] = "HTTP/1.1 400 Bad Request\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "Content-Length: 35\r\n"
                                  "Connection: close\r\n\r\n"
                                  "This port speaks HTTPS, not HTTP.\r\n";
    int64_t timeout = conn->server->options.header_timeout;
    ssize_t n = cg_yield(cg_call(wrap, conn, .timeout = CG_NEVER,
                                 .deadline = cg__http_clocks_begin(conn)));

    if (n != CG_ETLS_HTTP)
        return n < 0 ? CG__HTTP_CLOSE_NOW : CG__HTTP_GO_ON;
    n = cg_yield(cg_writeall(conn->sock, refusal, sizeof refusal - 1, .timeout = timeout));
    return n < 0 ? CG__HTTP_CLOSE_NOW : CG__HTTP_LINGER;
}

/* "h2" by ALPN, whatever else has been agreed on by other means. */
static bool agreed_on_h2(const struct cg__http_conn *conn)
{
    const char *protocol = cg_sock_protocol(conn->sock);

    return protocol != NULL && strcmp(protocol, "h2") == 0;
}

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"; /* RFC 9113, 3.4 */

/* Waits for more than `len` bytes; *n: the result. Returns how many of the preface have come;
 * 0: something else, or no more. No byte is consumed. */
static size_t see_preface(struct cg__http_conn *conn, size_t len, int64_t deadline, ssize_t *n)
{
    struct cg_view view;
    size_t seen = 0;

    *n = cg_yield(cg_borrow(conn->sock, &view, .least = len + 1, .timeout = CG_NEVER,
                            .deadline = deadline));
    if (*n <= 0)
        return 0;
    if (view.len > len)
        seen = view.len < sizeof preface - 1 ? view.len : sizeof preface - 1;
    if (memcmp(view.data, preface, seen) != 0)
        seen = 0;
    cg_view_release(&view, 0);
    return seen;
}

/* Whether the connection begins as HTTP/2 does. *silent: nothing has come. A shutdown ends the
 * wait, as in serve_all. */
static bool begins_as_h2(struct cg__http_conn *conn, bool *silent)
{
    size_t len = 0;
    int64_t deadline;
    ssize_t n;

    conn->phase = CG__HTTP_IDLE;
    conn->since = cg_sched_now(cg_sched_self());
    deadline = cg__moment_after(conn->since, cg__http_clocks_idle(conn));
    cg_scope_open(&conn->wait, CG_NEVER, false);
    do {
        *silent = len == 0;
        len = see_preface(conn, len, deadline, &n);
    } while (len > 0 && len < sizeof preface - 1);
    cg_scope_close(&conn->wait);
    *silent &= n <= 0;
    conn->phase = CG__HTTP_AT_WORK;
    return len > 0;
}

/* Chooses the protocol: CG_HTTP_H1, CG_HTTP_H2, or 0: what the client speaks is not
 * allowed. */
static unsigned choose(struct cg__http_conn *conn, bool *silent)
{
    unsigned allowed = conn->serving->protocols;

    if (!cg__http_h2_is_there())
        return allowed & CG_HTTP_H1;
    if (agreed_on_h2(conn))
        return allowed & CG_HTTP_H2;
    if ((allowed & CG_HTTP_H2C) && (!(allowed & CG_HTTP_H1) || begins_as_h2(conn, silent)))
        return CG_HTTP_H2;
    return allowed & CG_HTTP_H1;
}

static void go_on(struct cg__http_conn *conn, enum cg__http_outcome outcome)
{
    while (outcome == CG__HTTP_GO_ON) {
        int64_t now = cg_sched_now(conn->server->sched);

        outcome = serve_all(conn, now, now);
    }
    if (outcome == CG__HTTP_LINGER)
        linger(conn);
    if (outcome == CG__HTTP_STAYS)
        stay(conn);
    else if (outcome != CG__HTTP_DORMANT)
        finish(conn);
}

/* Reads what a proxy tells, puts TLS over the connection, and chooses the protocol. What this
 * returns goes on as HTTP/1 does. */
static enum cg__http_outcome begin(struct cg__http_conn *conn)
{
    bool proxied = conn->server->options.proxy_protocol != NULL;
    bool wraps = conn->serving->wrap != NULL;
    enum cg__http_outcome outcome = CG__HTTP_GO_ON;
    struct cg_view view;
    unsigned protocol;
    bool silent = false;

    if ((proxied || wraps) && !has_begun(conn))
        return CG__HTTP_CLOSE_NOW;
    if (proxied && cg__http_proxied_begin(conn) < 0) {
        cg__http_metrics_refuse(conn->server, CG__HTTP_REFUSED_PROXY);
        return CG__HTTP_CLOSE_NOW;
    }
    if (wraps)
        outcome = wrapped(conn);
    if (outcome != CG__HTTP_GO_ON)
        return outcome;
    protocol = choose(conn, &silent);
    if (silent) /* that was its idle time */
        return serve_woken(conn, &view, -ETIMEDOUT);
    if (protocol == CG_HTTP_H2)
        return cg__http_h2_serve(conn);
    return protocol == CG_HTTP_H1 ? CG__HTTP_GO_ON : CG__HTTP_CLOSE_NOW;
}

ssize_t cg__http_connection_run(void *arg)
{
    struct cg__http_conn *conn = arg;

    go_on(conn, begin(conn));
    return 0;
}

ssize_t cg__http_connection_resume(void *op)
{
    struct cg__http_conn *conn = cg__http_dormant_end(op);
    ssize_t n = cg_op_result(op);
    struct cg_view view;

    if (conn->session != NULL)
        go_on(conn, cg__http_h2_serve(conn));
    else if (n == 0) /* over TLS what has come need not be a request */
        go_on(conn, serve_all(conn, conn->since, cg_sched_now(conn->server->sched)));
    else
        go_on(conn, serve_woken(conn, &view, n));
    return 0;
}
