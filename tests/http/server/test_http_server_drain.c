/* SPDX-License-Identifier: MIT */
/* The shutdown of an HTTP server loses no request that was sent, and no connection that
 * was established. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <cogen/sim.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MS CG_MILLISECOND

static struct cg_coro *ending;

static ssize_t shuts(void *arg)
{
    return cg_yield(cg_http_shutdown(server, .idle = *(int64_t *)arg, .timeout = CG_MINUTE));
}

/* Begins a shutdown in another coroutine. */
static void end_begin(int64_t idle)
{
    ending = test_start(shuts, &idle);
    test_until_waiting(ending);
}

static void end_wait(void)
{
    IS(test_end(ending), 0);
    IS(test_end(serving), 0);
    ck_assert_uint_eq(cg_http_server_connections(server), 0);
    cg_http_server_free(server);
    cg_sock_close(listener);
}

/* Connects a client that has received a response already. */
static struct cg_sock *served_client(void)
{
    struct cg_sock *sock = serve_client();

    send_text(sock, "GET /" V "\r\n");
    receive(sock, "hello\n");
    return sock;
}

static void check_last(struct cg_sock *sock)
{
    ck_assert_str_eq(receive(sock, NULL), HELLO CLOSE "\r\nhello\n");
    cg_sock_close(sock);
}

/* Checks a response. It may have been made before the shutdown, so it need not close the
 * connection. */
static void check_answered(struct cg_sock *sock)
{
    receive(sock, NULL);
    ck_assert_int_eq(strncmp(got, HELLO, sizeof HELLO - 1), 0);
    ck_assert_ptr_nonnull(strstr(got, "\r\n\r\nhello\n"));
    cg_sock_close(sock);
}

/* A request that was sent when the shutdown begins, but not received, gets its response,
 * on a new connection and on one that was used before. */
static ssize_t on_its_way(void *arg)
{
    struct cg_sock *fresh, *used;

    (void)arg;
    serve_begin(NULL);
    used = served_client();
    fresh = serve_client();
    send_text(fresh, "GET /" V "\r\n");
    send_text(used, "GET /" V "\r\n");
    end_begin(test_on_late_sim() ? 0 : CG_NOWAIT); /* on sim-late the bytes arrive later */
    check_answered(fresh);
    check_answered(used);
    end_wait();
    return 0;
}

/* A request that is sent within .idle after the shutdown gets its response; then the
 * connection is closed. */
static ssize_t within_idle(void *arg)
{
    struct cg_sock *first, *second;

    (void)arg;
    serve_begin(NULL);
    first = served_client();
    second = serve_client();
    end_begin(CG_HOUR); /* more than the limit for .idle, half of the shutdown's timeout */
    OK(cg_yield(cg_sleep(2 * MS)));
    send_text(first, "GET /" V "\r\nGET /" V "\r\n");
    send_text(second, "GE");
    check_last(first);
    OK(cg_yield(cg_sleep(2 * MS)));
    send_text(second, "T /" V "\r\n");
    check_last(second);
    end_wait();
    return 0;
}

/* A request that has arrived, but that the reactor has not seen yet, is not lost. */
static ssize_t unseen(void *arg)
{
    static const char text[] = "GET /" V "\r\n";
    struct cg_sock *sock;

    (void)arg;
    serve_begin(NULL);
    sock = served_client();
    OK(cg_yield(cg_sleep(MS)));
    IS(write(cg_sock_fd(sock), text, sizeof text - 1), sizeof text - 1);
    IS(cg_yield(cg_http_shutdown(server, .idle = CG_NOWAIT, .timeout = CG_MINUTE)), 0);
    check_last(sock);
    IS(test_end(serving), 0);
    cg_http_server_free(server);
    cg_sock_close(listener);
    return 0;
}

/* The response was made before the shutdown, so the client does not know of it. */
static ssize_t responds_early(struct cg_http_request *req, void *arg)
{
    ssize_t n = cg_yield(cg_http_send_text(req, 200, "hello\n"));

    (void)arg;
    handled++;
    cg_yield(cg_sleep(20 * MS));
    return n;
}

static ssize_t made_before(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/early", responds_early, NULL));
    sock = serve_client();
    send_text(sock, "GET /early" V "\r\n");
    until_handled(1);
    end_begin(0);
    ck_assert_str_eq(receive(sock, "hello\n"), HELLO "\r\nhello\n");
    OK(cg_yield(cg_sleep(20 * MS)));
    send_text(sock, "GET /" V "\r\n");
    check_last(sock);
    end_wait();
    return 0;
}

/* After .idle a connection without a request is closed, not before. A connection whose
 * last response was made before the shutdown waits as well. */
static ssize_t idle_ends(void *arg)
{
    struct cg_sock *idle, *busy;
    int64_t start;

    (void)arg;
    serve_begin(NULL);
    idle = served_client();
    busy = serve_client();
    send_text(busy, "GET /sleeps" V "\r\n"); /* for 10 s */
    until_handled(2);
    start = cg_sched_now(cg_sched_self());
    end_begin(0);
    ck_assert_str_eq(receive(idle, NULL), "");
    IS(cg_sched_now(cg_sched_self()) - start, CG_SECOND);
    ck_assert_str_eq(receive(busy, NULL), HELLO CLOSE "\r\nslept\n");
    end_wait();
    cg_sock_close(idle);
    cg_sock_close(busy);
    return 0;
}

/* Connections that wait in the backlog are served. */
static ssize_t in_the_backlog(void *arg)
{
    struct cg_sock *on = test_listen(addr), *socks[5];

    (void)arg;
    for (size_t i = 0; i < COUNT(socks); i++) {
        socks[i] = serve_client();
        send_text(socks[i], "GET /" V "\r\n");
    }
    serve_begin_on(on, NULL);
    end_begin(0);
    for (size_t i = 0; i < COUNT(socks); i++)
        check_last(socks[i]);
    end_wait();
    return 0;
}

/* A server for one connection at a time, which is shut down before it serves, serves the
 * connections of the backlog one after the other. */
static ssize_t asks_once(void *arg)
{
    struct cg_sock *sock = arg;

    send_text(sock, "GET /" V "\r\n");
    check_last(sock);
    return 0;
}

static ssize_t one_place(void *arg)
{
    struct cg_coro *clients[5];

    (void)arg;
    listener = test_listen(addr);
    server = cg_http_server_new(.connections = 1);
    OK(cg_http_server_mount(server, "/", hello, NULL));
    for (size_t i = 0; i < COUNT(clients); i++)
        clients[i] = test_start(asks_once, serve_client());
    IS(cg_yield(cg_http_shutdown(server)), 0);
    IS(cg_yield(cg_http_serve(server, listener)), 0);
    for (size_t i = 0; i < COUNT(clients); i++)
        IS(test_end(clients[i]), 0);
    cg_http_server_free(server);
    cg_sock_close(listener);
    return 0;
}

/* Requests are sent all the time while the server ends. Each connection ends with a
 * response that says so. */
static ssize_t asks(void *arg)
{
    static const char text[] = "GET /" V "\r\n";
    struct cg_sock *sock = serve_client();
    char line[256];
    bool last = false;
    ssize_t n;

    while (!last) {
        size_t length = 0;

        IS(cg_yield(cg_writeall(sock, text, sizeof text - 1)), sizeof text - 1);
        while ((n = OK(cg_yield(cg_readline(sock, line, sizeof line)))) > 2) {
            last |= strcmp(line, CLOSE) == 0;
            length += (size_t)n;
        }
        IS(n, 2);
        ck_assert_uint_gt(length, 0);
        IS(cg_yield(cg_readline(sock, line, sizeof line)), 6);
        if (*(bool *)arg)
            OK(cg_yield(cg_sleep(MS)));
    }
    IS(cg_yield(cg_read(sock, line, 1)), 0);
    cg_sock_close(sock);
    return 0;
}

static ssize_t under_load(void *arg)
{
    struct cg_coro *clients[16];

    (void)arg;
    for (int slow = 0; slow < 2; slow++) {
        bool pauses = slow > 0 || test_on_late_sim();

        serve_begin(NULL);
        for (size_t i = 0; i < COUNT(clients); i++)
            clients[i] = test_start(asks, &pauses);
        while (handled < 100)
            OK(cg_yield(pauses ? cg_sleep(MS) : cg_pass()));
        end_begin(0);
        for (size_t i = 0; i < COUNT(clients); i++)
            IS(test_end(clients[i]), 0);
        end_wait();
    }
    return 0;
}

/* A handler whose response has no end can find out that the server shuts down. */
static ssize_t endless(struct cg_http_request *req, void *arg)
{
    ssize_t n = cg_yield(cg_http_write(req, "begun\n", 6));

    (void)arg;
    handled++;
    while (n >= 0 && n != 1)
        n = cg_yield(cg_any((cg_sleep(CG_HOUR), cg_http_wait_shutdown(server))));
    return n < 0 ? n : cg_yield(cg_http_write(req, "ended\n", 6));
}

static ssize_t is_told(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/endless", endless, NULL));
    sock = serve_client();
    send_text(sock, "GET /endless" V "\r\n");
    until_handled(1);
    IS(cg_yield(cg_http_wait_shutdown(server, .timeout = MS)), -ETIMEDOUT);
    end_begin(0);
    IS(cg_yield(cg_http_wait_shutdown(server)), 0);
    ck_assert_ptr_nonnull(strstr(receive(sock, "0\r\n\r\n"), "ended\n"));
    cg_sock_close(sock);
    end_wait();
    return 0;
}

/* The same when .idle is over in the turn in which the connection would give up its coroutine, or
 * in which a request comes. */
static ssize_t idle_ends_anyhow(void *arg)
{
    struct cg_sock *idle, *busy;
    int64_t start;

    (void)arg;
    serve_begin(NULL);
    idle = served_client();
    busy = served_client();
    OK(cg_yield(cg_sleep(MS)));
    start = cg_sched_now(cg_sched_self());
    end_begin(CG_SECOND - 2 * MS);
    OK(cg_yield(cg_sleep(CG_SECOND - 5 * MS)));
    send_text(busy, "GET /sleeps" V "\r\n"); /* for 10 s */
    cg_sim_advance(cg_sched_reactor(cg_sched_self()), 10 * MS);
    ck_assert_str_eq(receive(idle, NULL), "");
    ck_assert_int_lt(cg_sched_now(cg_sched_self()) - start, 2 * CG_SECOND);
    ck_assert_str_eq(receive(busy, NULL), HELLO CLOSE "\r\nslept\n");
    cg_sock_close(busy);
    end_wait();
    cg_sock_close(idle);
    return 0;
}

static ssize_t wraps(struct cg_sock **sock, void *arg)
{
    char byte;

    (void)arg;
    return cg_yield(cg_readall(*sock, &byte, 1));
}

/* A client that is still to begin its TLS handshake is idle, too. */
static ssize_t without_handshake(void *arg)
{
    struct cg_sock *sock, *begun;
    int64_t start;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.wrap = wraps});
    sock = serve_client();
    begun = serve_client();
    send_text(begun, "xGET /" V CLOSE "\r\n");
    test_until_waiting(serving);
    start = cg_sched_now(cg_sched_self());
    end_begin(0);
    ck_assert_str_eq(receive(sock, NULL), "");
    IS(cg_sched_now(cg_sched_self()) - start, CG_SECOND);
    receive(begun, NULL);
    ck_assert_int_eq(strncmp(got, HELLO, sizeof HELLO - 1), 0);
    cg_sock_close(sock);
    cg_sock_close(begun);
    end_wait();
    return 0;
}

static const struct test_case cases[] = {
    CORO(on_its_way),
    CORO(unseen, .where = ON_KERNEL),
    CORO(made_before),
    CORO(within_idle),
    CORO(idle_ends, .where = ON_SIM),
    CORO(idle_ends_anyhow, .where = ON_SIM),
    CORO(without_handshake, .where = ON_SIM),
    CORO(in_the_backlog),
    CORO(one_place),
    CORO(under_load),
    CORO(is_told),
};

int main(void)
{
    return test_main("http_server_drain", cases, COUNT(cases));
}
