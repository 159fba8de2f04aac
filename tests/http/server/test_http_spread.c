/* SPDX-License-Identifier: MIT */
/* cg_http_serve with .spread: connections go to the worker with the fewest, and a shutdown
 * waits for those that others have handed over. */
#include "config.h"

#include "tests/support/support.h"

#include <cogen/http_server.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum { WORKERS = 3, EACH = 8, CONNS = WORKERS * EACH, CLIENTS = 4, MANY = 50 };

static struct {
    char addr[CG_ADDR_SIZE]; /* of worker 0, to which all clients connect */
    atomic_uint serving;     /* workers */
    atomic_bool over;        /* all servers have been shut down */
    atomic_uint here[WORKERS], clients;
} shared;

static struct cg_http_server *servers[WORKERS];

static struct cg_http_server *own(void)
{
    return servers[cg_worker_id()];
}

static void run_crew(cg_fn *fn)
{
    memset(&shared, 0, sizeof shared);
    IS(cg_crew_main(fn, NULL, .workers = WORKERS,
                    .reactor = test_on_sim() ? "sim" : test_reactor(), .grace = CG_MINUTE),
       0);
}

/* The response is the worker's number. */
static ssize_t number(struct cg_http_request *req, void *arg)
{
    char text[2] = {(char)('0' + cg_worker_id())};

    ck_assert_ptr_eq(arg, own());
    return cg_yield(cg_http_send_text(req, 200, text));
}

static struct cg_sock *connect_once(void)
{
    struct cg_sock *conn;

    OK(cg_yield(cg_connect(shared.addr, &conn)));
    return conn;
}

/* Sends a request and returns the number of the worker that has responded; -1: the
 * connection was closed instead. */
static int ask(struct cg_sock *conn)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    char line[256], body;
    ssize_t n = cg_yield(cg_writeall(conn, request, strlen(request)));

    do
        n = n < 0 ? n : cg_yield(cg_readline(conn, line, sizeof line));
    while (n > 2);
    if (n <= 0)
        return -1;
    IS(cg_yield(cg_readall(conn, &body, 1)), 1);
    return body - '0';
}

static struct cg_sock *begin(void)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr);

    if (cg_worker_id() == 0)
        strcpy(shared.addr, addr);
    servers[cg_worker_id()] = cg_http_server_new();
    ck_assert_ptr_nonnull(own());
    OK(cg_http_server_mount(own(), "GET /", number, own()));
    return listener;
}

static void end(struct cg_sock *listener)
{
    cg_sock_close(listener);
    cg_http_server_free(own());
}

static ssize_t serve(void *listener)
{
    return cg_yield(cg_http_serve(own(), listener, .spread = "web"));
}

static ssize_t shut_down(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_shutdown(own(), .timeout = CG_MINUTE, .idle = CG_NOWAIT));
}

static ssize_t shut_all_down(void)
{
    ssize_t n = cg_yield(cg_run_on_each(shut_down, NULL));

    atomic_store(&shared.over, true);
    return n;
}

/* Serves on each worker; on worker 0, `client` runs meanwhile, which shuts all down. */
static ssize_t serve_on_all(cg_fn *client)
{
    struct cg_sock *listener = begin();
    struct cg_coro *coro = test_start(serve, listener);

    test_until_waiting(coro);
    atomic_fetch_add(&shared.serving, 1);
    if (cg_worker_id() == 0) {
        while (atomic_load(&shared.serving) < WORKERS)
            IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
        IS(client(NULL), 0);
    }
    IS(test_end(coro), 0);
    while (!atomic_load(&shared.over)) /* a shutdown may still use its server */
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    end(listener);
    return 0;
}

static ssize_t count_here(void *arg)
{
    (void)arg;
    atomic_store(&shared.here[cg_worker_id()], cg_http_server_connections(own()));
    return 0;
}

static void until_here(unsigned worker, unsigned wanted)
{
    do
        OK(cg_yield(cg_run_on_each(count_here, NULL)));
    while (atomic_load(&shared.here[worker]) != wanted);
}

static ssize_t open_and_count(void *arg)
{
    struct cg_sock *conns[CONNS];

    (void)arg;
    for (int i = 0; i < CONNS; i++)
        ck_assert_int_ge(ask(conns[i] = connect_once()), 0);
    for (unsigned k = 0; k < WORKERS; k++)
        until_here(k, EACH);
    for (int i = 0; i < CONNS; i++)
        if (ask(conns[i]) == 1) { /* a request more, over the same connection */
            cg_sock_close(conns[i]);
            conns[i] = NULL;
        }
    until_here(1, 0);
    for (int i = 0; i < CONNS; i++)
        if (conns[i] == NULL)
            IS(ask(conns[i] = connect_once()), 1);
    OK(shut_all_down());
    for (int i = 0; i < CONNS; i++) {
        IS(ask(conns[i]), -1);
        cg_sock_close(conns[i]);
    }
    return 0;
}

static ssize_t all_share(void *arg)
{
    (void)arg;
    return serve_on_all(open_and_count);
}

static void same_share(void)
{
    run_crew(all_share);
}

static ssize_t ask_again_and_again(void *arg)
{
    (void)arg;
    for (int i = 0; i < MANY; i++) {
        struct cg_sock *conn = connect_once();

        ck_assert_int_ge(ask(conn), 0);
        cg_sock_close(conn);
    }
    atomic_fetch_sub(&shared.clients, 1);
    return 0;
}

static ssize_t run_clients(void *arg)
{
    struct cg_coro *coros[CLIENTS];

    (void)arg;
    for (int i = 0; i < CLIENTS; i++)
        coros[i] = test_start(ask_again_and_again, NULL);
    for (int i = 0; i < CLIENTS; i++)
        IS(test_end(coros[i]), 0);
    return shut_all_down();
}

static ssize_t all_serve_short_ones(void *arg)
{
    (void)arg;
    return serve_on_all(run_clients);
}

/* None of many short connections is lost. */
static void short_ones(void)
{
    run_crew(all_serve_short_ones);
}

/* A worker's server that is cancelled takes no connection any more. Those that were on
 * their way to it may be lost: the client cannot tell that from a cancel. */
static ssize_t comes_and_goes(struct cg_sock *listener)
{
    while (atomic_load(&shared.clients) > 0)
        IS(cg_yield(cg_any((cg_http_serve(own(), listener, .spread = "web"),
                            cg_sleep(3 * CG_MILLISECOND)))), 1);
    return 0;
}

static ssize_t asks_and_counts(void *arg)
{
    unsigned *lost = arg;

    for (int i = 0; i < MANY; i++) {
        struct cg_sock *conn = connect_once();

        *lost += ask(conn) < 0;
        cg_sock_close(conn);
    }
    atomic_fetch_sub(&shared.clients, 1);
    return 0;
}

static ssize_t others_come_and_go(void *arg)
{
    struct cg_sock *listener = begin();
    struct cg_coro *coro;
    unsigned lost = 0;

    (void)arg;
    if (cg_worker_id() > 0) {
        while (atomic_load(&shared.serving) == 0)
            IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
        comes_and_goes(listener);
        end(listener);
        return 0;
    }
    coro = test_start(serve, listener);
    test_until_waiting(coro);
    atomic_store(&shared.clients, 1);
    atomic_store(&shared.serving, 1);
    IS(asks_and_counts(&lost), 0);
    ck_assert_uint_lt(lost, MANY);
    IS(shut_down(NULL), 0);
    IS(test_end(coro), 0);
    end(listener);
    return 0;
}

static void comings_and_goings(void)
{
    run_crew(others_come_and_go);
}

static ssize_t twice(void *arg)
{
    struct cg_sock *listener, *second;
    struct cg_coro *coro;
    char addr[CG_ADDR_SIZE];

    (void)arg;
    if (cg_worker_id() > 0)
        return 0;
    listener = begin();
    coro = test_start(serve, listener);
    test_until_waiting(coro);
    second = test_listen(addr);
    IS(cg_yield(cg_http_serve(own(), second, .spread = "web")), -EEXIST);
    cg_sock_close(second);
    IS(shut_down(NULL), 0);
    IS(test_end(coro), 0);
    end(listener);
    return 0;
}

static void one_server_of_a_name(void)
{
    run_crew(twice);
}

/* Without a crew the keyword means nothing. */
static ssize_t without_a_crew(void *arg)
{
    struct cg_sock *listener = begin(), *conn;
    struct cg_coro *coro = test_start(serve, listener);

    (void)arg;
    test_until_waiting(coro);
    conn = connect_once();
    IS(ask(conn), 0);
    cg_sock_close(conn);
    IS(shut_down(NULL), 0);
    IS(test_end(coro), 0);
    end(listener);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(same_share),
        PLAIN(short_ones),
        PLAIN(comings_and_goings),
        PLAIN(one_server_of_a_name),
        CORO(without_a_crew),
    };

    return test_main("http_spread", cases, COUNT(cases));
}
