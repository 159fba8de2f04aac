/* SPDX-License-Identifier: MIT */
/* A cg_http_serve that is cancelled gives its requests the time that .grace says, as a shutdown
 * does. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <errno.h>
#include <string.h>

#define MS CG_MILLISECOND
#define GRACE (20 * CG_SECOND)

static struct cg_event stop;
static struct cg_sock *listeners[2];

/* Serves on both listeners until `stop` is set. */
static ssize_t serves(void *arg)
{
    int64_t grace = *(int64_t *)arg;
    struct cg_op *first = cg_http_serve(server, listeners[0], .grace = grace);
    struct cg_op *second = cg_http_serve(server, listeners[1], .grace = grace);
    ssize_t n = cg_yield(cg_any((first, second, cg_wait_event(&stop))));

    ck_assert(cg_op_result(first) == -ECANCELED || cg_op_result(first) == 0);
    ck_assert(cg_op_result(second) == -ECANCELED || cg_op_result(second) == 0);
    return n;
}

/* Responds when the test signals. */
static ssize_t waits(struct cg_http_request *req, void *arg)
{
    ssize_t n;

    (void)arg;
    handled++;
    n = cg_yield(cg_wait_signal("go on", NULL));
    return n < 0 ? n : cg_yield(cg_http_send_text(req, 200, "going\n"));
}

static void begin(int64_t grace, unsigned connections)
{
    struct cg_coro *coro;

    cg_event_clear(&stop);
    handled = 0;
    server = cg_http_server_new(.log = log_line, .connections = connections);
    handlers_mount(server);
    OK(cg_http_server_mount(server, "GET /waits", waits, NULL));
    for (int i = 0; i < 2; i++)
        listeners[i] = test_listen(addr);
    coro = test_start(serves, &grace);
    test_until_waiting(coro);
    serving = coro;
}

/* Checks which of the three has won. */
static void end(ssize_t winner)
{
    IS(test_end(serving), winner);
    ck_assert_uint_eq(cg_http_server_connections(server), 0);
    cg_http_server_free(server);
    for (int i = 0; i < 2; i++)
        cg_sock_close(listeners[i]);
}

static struct cg_sock *client_of(int i)
{
    struct cg_sock *sock;

    OK(cg_sock_local_addr(listeners[i], addr, sizeof addr));
    OK(cg_yield(cg_connect(addr, &sock)));
    return sock;
}

/* A request in progress, one on its way and one of a client in the backlog get their responses, on
 * both listeners. */
static ssize_t in_time(void *arg)
{
    struct cg_sock *busy[2], *sent[2], *late[2];

    (void)arg;
    begin(GRACE, 0);
    for (int i = 0; i < 2; i++) {
        busy[i] = client_of(i);
        send_text(busy[i], "GET /waits" V "\r\n");
    }
    until_handled(2);
    for (int i = 0; i < 2; i++) {
        sent[i] = client_of(i);
        send_text(sent[i], "GET /" V "\r\n");
        late[i] = client_of(i);
    }
    cg_event_set(&stop);
    for (int i = 0; i < 2; i++) {
        send_text(late[i], "GET /" V "\r\n");
        receive(sent[i], "hello\n");
        ck_assert_str_eq(receive(late[i], NULL), HELLO CLOSE "\r\nhello\n");
        cg_sock_close(sent[i]);
        cg_sock_close(late[i]);
    }
    cg_yield(cg_signal("go on", NULL, .recipients = 2));
    for (int i = 0; i < 2; i++) {
        ck_assert_str_eq(receive(busy[i], NULL), HELLO CLOSE "\r\ngoing\n");
        cg_sock_close(busy[i]);
    }
    end(2);
    return 0;
}

static ssize_t shuts(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_shutdown(server, .timeout = CG_HOUR));
}

/* If all places are taken, one client of each listener waits for a place, and one in the backlog: all
 * of them are served, also if a shutdown has begun before. */
static void without_a_place(bool shutdown)
{
    struct cg_sock *busy[2], *late[2][2];
    struct cg_coro *shutting = NULL;

    begin(GRACE, 2);
    for (int i = 0; i < 2; i++) {
        busy[i] = client_of(i);
        send_text(busy[i], "GET /waits" V "\r\n");
    }
    until_handled(2);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++) {
            late[i][j] = client_of(i);
            send_text(late[i][j], "GET /" V "\r\n");
        }
    if (shutdown)
        shutting = test_start(shuts, NULL);
    else
        cg_event_set(&stop);
    IS(cg_yield(cg_http_wait_shutdown(server)), 0);
    cg_event_set(&stop);
    OK(cg_yield(cg_sleep(MS)));
    cg_yield(cg_signal("go on", NULL, .recipients = 2));
    for (int i = 0; i < 2; i++) {
        ck_assert_str_eq(receive(busy[i], NULL), HELLO CLOSE "\r\ngoing\n");
        cg_sock_close(busy[i]);
        for (int j = 0; j < 2; j++) {
            ck_assert_ptr_nonnull(strstr(receive(late[i][j], "hello\n"), "hello\n"));
            cg_sock_close(late[i][j]);
        }
    }
    if (shutdown)
        IS(test_end(shutting), 0);
    end(2);
}

static ssize_t without_places(void *arg)
{
    (void)arg;
    without_a_place(false);
    without_a_place(true);
    return 0;
}

/* A connection without a request is closed after a second, or half of a shorter grace period. */
static ssize_t idle_ends(void *arg)
{
    static const int64_t graces[][2] = {{GRACE, CG_SECOND}, {CG_SECOND, CG_SECOND / 2},
                                        {CG_NEVER, CG_SECOND}};

    (void)arg;
    for (size_t i = 0; i < COUNT(graces); i++) {
        struct cg_sock *idle;
        int64_t start;

        begin(graces[i][0], 0);
        idle = client_of(1);
        send_text(idle, "GET /" V "\r\n");
        receive(idle, "hello\n");
        start = cg_sched_now(cg_sched_self());
        cg_event_set(&stop);
        ck_assert_str_eq(receive(idle, NULL), "");
        IS(cg_sched_now(cg_sched_self()) - start, graces[i][1]);
        cg_sock_close(idle);
        end(2);
    }
    return 0;
}

/* What has not ended when the grace period is over is cancelled; without one, at once. */
static ssize_t too_late(void *arg)
{
    static const int64_t graces[] = {3 * CG_SECOND, 0};

    (void)arg;
    for (size_t i = 0; i < COUNT(graces); i++) {
        struct cg_sock *busy;
        int64_t start;

        begin(graces[i], 0);
        busy = client_of(0);
        send_text(busy, "GET /sleeps" V "\r\n"); /* for 10 s */
        until_handled(1);
        start = cg_sched_now(cg_sched_self());
        cg_event_set(&stop);
        end(2);
        IS(cg_sched_now(cg_sched_self()) - start, graces[i]);
        cg_sock_close(busy);
    }
    return 0;
}

/* A shutdown makes the second cg_http_serve complete. It wins the race, and the first one is
 * cancelled: from then on that has its grace period, not the time of the shutdown. */
static ssize_t during_a_shutdown(void *arg)
{
    struct cg_sock *busy;
    int64_t start;

    (void)arg;
    begin(3 * CG_SECOND, 0);
    busy = client_of(0);
    send_text(busy, "GET /sleeps" V "\r\n"); /* for 10 s */
    until_handled(1);
    start = cg_sched_now(cg_sched_self());
    IS(cg_yield(cg_http_shutdown(server, .timeout = CG_HOUR)), 0);
    IS(cg_sched_now(cg_sched_self()) - start, 3 * CG_SECOND);
    cg_sock_close(busy);
    end(1);
    return 0;
}

static const struct test_case cases[] = {
    CORO(in_time),
    CORO(without_places),
    CORO(idle_ends, .where = ON_SIM),
    CORO(too_late, .where = ON_SIM),
    CORO(during_a_shutdown, .where = ON_SIM),
};

int main(void)
{
    return test_main("http_server_grace", cases, COUNT(cases));
}
