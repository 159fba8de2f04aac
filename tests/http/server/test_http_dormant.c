/* SPDX-License-Identifier: MIT */
/* Connections that have been idle for a second have no coroutine, and nobody can tell: they
 * serve further requests, time out, make room for others, and end with the server. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <errno.h>
#include <string.h>

enum { CROWD = 300 };

static struct cg_sock *crowd[CROWD];

static void say_hello(struct cg_sock *sock)
{
    send_text(sock, "GET /" V "\r\n");
    receive(sock, "hello\n");
    ck_assert_str_eq(got, HELLO "\r\nhello\n");
}

static struct cg_sock *open_dormant(void)
{
    struct cg_sock *sock = serve_client();

    say_hello(sock);
    OK(cg_yield(cg_sleep(2 * CG_SECOND)));
    ck_assert_uint_eq(test_count("http"), 0);
    ck_assert_uint_eq(cg_http_server_connections(server), 1);
    return sock;
}

/* A dormant connection serves requests, one after another and many at once, and falls asleep
 * again. So does one that has sent nothing yet. */
static ssize_t serves(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    serve_begin(NULL);
    sock = serve_client();
    OK(cg_yield(cg_sleep(2 * CG_SECOND)));
    ck_assert_uint_eq(test_count("http"), 0);
    for (int round = 0; round < 3; round++) {
        say_hello(sock);
        say_hello(sock);
        ck_assert_uint_eq(test_count("http"), 1);
        OK(cg_yield(cg_sleep(2 * CG_SECOND)));
        ck_assert_uint_eq(test_count("http"), 0);
    }
    send_text(sock, "GET /" V "\r\nGET /" V CLOSE "\r\n");
    ck_assert_str_eq(receive(sock, NULL), HELLO "\r\nhello\n" HELLO CLOSE "\r\nhello\n");
    cg_sock_close(sock);
    serve_end();
    return 0;
}

/* The same with the kernel's sockets: once. */
static ssize_t wakes(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    serve_begin(NULL);
    sock = serve_client();
    say_hello(sock);
    while (test_count("http") > 0)
        OK(cg_yield(cg_sleep(50 * CG_MILLISECOND)));
    say_hello(sock);
    cg_sock_close(sock);
    serve_end();
    return 0;
}

/* The idle timeout counts from the end of the last response. */
static ssize_t times_out(void *arg)
{
    struct cg_sock *sock;
    int64_t start;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.idle_timeout = 10 * CG_SECOND});
    sock = open_dormant();
    say_hello(sock);
    start = cg_sched_now(cg_sched_self());
    ck_assert_str_eq(receive(sock, NULL), "");
    ck_assert_int_lt(cg_sched_now(cg_sched_self()) - start, 10 * CG_SECOND + CG_SECOND / 10);
    ck_assert_int_ge(cg_sched_now(cg_sched_self()) - start, 10 * CG_SECOND - CG_SECOND / 10);
    cg_sock_close(sock);
    serve_end();
    return 0;
}

/* A client that goes away, or resets its connection. */
static ssize_t client_leaves(void *arg)
{
    (void)arg;
    serve_begin(NULL);
    cg_sock_close(open_dormant());
    while (cg_http_server_connections(server) > 0)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    serve_end();
    return 0;
}

static ssize_t ends(void *arg)
{
    serve_end();
    return (ssize_t)(intptr_t)arg;
}

/* A shutdown loses no request that has come to a dormant connection, and closes one to which
 * none has come. */
static ssize_t shuts_down(void *arg)
{
    (void)arg;
    for (int request = 0; request < 2; request++) {
        struct cg_coro *ending;
        struct cg_sock *sock;

        serve_begin(NULL);
        sock = open_dormant();
        if (request)
            send_text(sock, "GET /" V "\r\n");
        ending = test_start(ends, NULL);
        ck_assert_str_eq(receive(sock, NULL),
                         request ? HELLO CLOSE "\r\nhello\n" : "");
        cg_sock_close(sock);
        IS(test_end(ending), 0);
    }
    return 0;
}

/* Cancelling the operation closes dormant connections, also one for which a request has just
 * come. */
static ssize_t cancelled(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    for (int request = 0; request < 2; request++) {
        serve_begin(NULL);
        sock = open_dormant();
        if (request)
            send_text(sock, "GET /" V "\r\n");
        OK(cg_yield(cg_cancel(serving)));
        IS(test_end(serving), -ECANCELED);
        ck_assert_uint_eq(cg_http_server_connections(server), 0);
        cg_http_server_free(server);
        cg_sock_close(listener);
        cg_sock_close(sock);
    }
    return 0;
}

/* A dormant connection makes room for another one. */
static ssize_t makes_room(void *arg)
{
    struct cg_sock *first, *second;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.connections = 1,
                                                 .address_connections = UINT32_MAX});
    first = open_dormant();
    second = serve_client();
    say_hello(second);
    ck_assert_str_eq(receive(first, NULL), "");
    cg_sock_close(first);
    cg_sock_close(second);
    serve_end();
    return 0;
}

/* Many that wake at one moment are all served. */
static ssize_t wakes_together(void *arg)
{
    (void)arg;
    serve_begin(&(struct cg_http_server_options){.address_connections = UINT32_MAX});
    for (size_t i = 0; i < CROWD; i++)
        crowd[i] = serve_client();
    OK(cg_yield(cg_sleep(2 * CG_SECOND)));
    ck_assert_uint_eq(test_count("http"), 0);
    for (size_t i = 0; i < CROWD; i++)
        send_text(crowd[i], "GET /" V "\r\n");
    for (size_t i = 0; i < CROWD; i++)
        ck_assert_int_eq(strncmp(receive(crowd[i], "hello\n"), HELLO, sizeof HELLO - 1), 0);
    for (size_t i = 0; i < CROWD; i++)
        cg_sock_close(crowd[i]);
    serve_end();
    return 0;
}

static ssize_t cancels(struct cg_http_request *req, void *arg)
{
    (void)arg;
    cg_coro_cancel(serving);
    return cg_yield(cg_http_send_text(req, 200, "bye\n"));
}

/* The same while requests have come for connections whose coroutines have not been started
 * yet. */
static ssize_t cancelled_before_it_starts(void *arg)
{
    int64_t start;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.address_connections = UINT32_MAX});
    OK(cg_http_server_mount(server, "/cancel", cancels, NULL));
    for (size_t i = 0; i < CROWD; i++)
        crowd[i] = serve_client();
    OK(cg_yield(cg_sleep(2 * CG_SECOND)));
    ck_assert_uint_eq(test_count("http"), 0);
    for (size_t i = 0; i < CROWD; i++)
        send_text(crowd[i], "GET /cancel" V "\r\n");
    start = cg_sched_now(cg_sched_self());
    IS(test_end(serving), -ECANCELED);
    ck_assert_int_lt(cg_sched_now(cg_sched_self()) - start, CG_SECOND);
    ck_assert_uint_eq(cg_http_server_connections(server), 0);
    for (size_t i = 0; i < CROWD; i++)
        cg_sock_close(crowd[i]);
    cg_http_server_free(server);
    cg_sock_close(listener);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(serves, .where = ON_SIM),       CORO(times_out, .where = ON_SIM),
        CORO(client_leaves, .where = ON_SIM), CORO(shuts_down, .where = ON_SIM),
        CORO(cancelled, .where = ON_SIM),    CORO(makes_room, .where = ON_SIM),
        CORO(wakes_together, .where = ON_SIM), CORO(wakes),
        CORO(cancelled_before_it_starts, .where = ON_SIM),
    };

    return test_main("http_dormant", cases, COUNT(cases));
}
