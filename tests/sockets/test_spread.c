/* SPDX-License-Identifier: MIT */
/* cg_serve with .spread: connections go to the worker with the fewest, and none is lost while
 * workers begin and end to serve. */
#include "config.h"

#include "tests/support/support.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum { WORKERS = 3, EACH = 10, MANY = 200, CLIENTS = 4 };

static struct {
    char addr[WORKERS][CG_ADDR_SIZE]; /* most clients connect to that of worker 0 */
    atomic_uint begun, here[WORKERS], served[WORKERS];
    atomic_uint most[WORKERS]; /* connections at a time */
    atomic_uint clients; /* that have not ended */
} shared;

static void run_crew(cg_fn *fn)
{
    memset(&shared, 0, sizeof shared);
    IS(cg_crew_main(fn, NULL, .workers = WORKERS,
                    .reactor = test_on_sim() ? "sim" : test_reactor(), .grace = CG_MINUTE),
       0);
}

/* Answers each byte with the worker's number. */
static ssize_t answers(struct cg_sock *conn, void *arg)
{
    unsigned id = cg_worker_id(), here = atomic_fetch_add(&shared.here[id], 1) + 1;
    char byte, number = (char)id;

    ck_assert_ptr_eq(arg, cg_worker_self()); /* the .arg of this worker's server */
    if (here > atomic_load(&shared.most[id]))
        atomic_store(&shared.most[id], here);
    atomic_fetch_add(&shared.served[id], 1);
    while (cg_yield(cg_readall(conn, &byte, 1)) == 1)
        IS(cg_yield(cg_writeall(conn, &number, 1)), 1);
    atomic_fetch_sub(&shared.here[id], 1);
    cg_sock_close(conn);
    return 0;
}

static struct cg_op *serving(struct cg_sock *listener, unsigned limit)
{
    static _Thread_local struct cg_serve_op op[WORKERS];
    unsigned id = cg_worker_id();

    op[id] = *(struct cg_serve_op *)cg_serve(listener, answers, .arg = cg_worker_self(),
                                             .spread = "echo", .grace = CG_MINUTE,
                                             .limit = limit);
    return &op[id].op;
}

static struct cg_sock *begin_to_listen(void)
{
    return test_listen(shared.addr[cg_worker_id()]);
}

static struct cg_sock *connect_to(unsigned worker)
{
    struct cg_sock *conn;

    OK(cg_yield(cg_connect(shared.addr[worker], &conn)));
    return conn;
}

/* Returns the number of the worker that serves the connection. */
static unsigned ask(struct cg_sock *conn)
{
    char byte = 'x';

    IS(cg_yield(cg_writeall(conn, &byte, 1)), 1);
    IS(cg_yield(cg_readall(conn, &byte, 1)), 1);
    return (unsigned)byte;
}

static struct cg_sock *connect_and_ask(void)
{
    struct cg_sock *conn = connect_to(0);

    ask(conn);
    return conn;
}

static ssize_t serves_until_told(void *limit)
{
    struct cg_sock *listener = begin_to_listen();
    struct cg_op *op = serving(listener, (unsigned)(uintptr_t)limit);

    atomic_fetch_add(&shared.begun, 1);
    IS(cg_yield(cg_any((op, cg_wait_signal("over", NULL)))), 1);
    cg_sock_close(listener);
    return 0;
}

static ssize_t nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* Waits until so many workers serve. They count themselves right before they begin; what runs there
 * afterwards runs when they have begun. */
static void wait_for_servers(unsigned count)
{
    while (atomic_load(&shared.begun) < count)
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS(cg_yield(cg_run_on_each(nothing, NULL)), 0);
}

/* Closes the connections that worker 1 serves, and waits until it has counted that: its
 * handlers have returned before it does anything else. */
static void close_those_of_worker_1(struct cg_sock **conns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ask(conns[i]) == 1) {
            cg_sock_close(conns[i]);
            conns[i] = NULL;
        }
    while (atomic_load(&shared.here[1]) > 0)
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS(cg_yield(cg_run_on_each(nothing, NULL)), 0);
}

static ssize_t all_connect(void *arg)
{
    struct cg_sock *conns[WORKERS * EACH];
    struct cg_coro *coro = test_start(serves_until_told, arg);

    if (cg_worker_id() != 0)
        return test_end(coro);
    wait_for_servers(WORKERS);
    for (size_t i = 0; i < COUNT(conns); i++)
        conns[i] = connect_and_ask();
    for (unsigned k = 0; k < WORKERS; k++)
        ck_assert_uint_eq(atomic_load(&shared.here[k]), EACH);
    close_those_of_worker_1(conns, COUNT(conns));
    for (size_t i = 0; i < COUNT(conns); i++)
        if (conns[i] == NULL)
            conns[i] = connect_and_ask();
    ck_assert_uint_eq(atomic_load(&shared.here[1]), EACH);
    for (size_t i = 0; i < COUNT(conns); i++)
        cg_sock_close(conns[i]);
    while (atomic_load(&shared.here[1]) > 0)
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    OK(cg_yield(cg_signal_crew("over", 0)));
    return test_end(coro);
}

static void same_share(void)
{
    run_crew(all_connect);
}

static ssize_t with_limit(void *arg)
{
    (void)arg;
    return all_connect((void *)(uintptr_t)EACH);
}

/* With places for just these connections on each worker, too. */
static void same_share_with_limit(void)
{
    run_crew(with_limit);
}

static ssize_t asks_again_and_again(void *arg)
{
    (void)arg;
    for (int i = 0; i < MANY; i++)
        cg_sock_close(connect_and_ask());
    if (atomic_fetch_sub(&shared.clients, 1) == 1)
        OK(cg_yield(cg_signal_crew("over", 0)));
    return 0;
}

/* A worker that serves now and then. */
static ssize_t comes_and_goes(void)
{
    struct cg_sock *listener = begin_to_listen();

    while (atomic_load(&shared.clients) > 0)
        IS(cg_yield(cg_any((serving(listener, 0), cg_sleep(3 * CG_MILLISECOND)))), 1);
    cg_sock_close(listener);
    return 0;
}

static ssize_t join_and_leave(void *arg)
{
    struct cg_coro *coros[CLIENTS], *server;

    if (cg_worker_id() != 0) {
        while (atomic_load(&shared.begun) == 0)
            IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
        return comes_and_goes();
    }
    atomic_store(&shared.clients, CLIENTS);
    server = test_start(serves_until_told, arg);
    while (atomic_load(&shared.begun) == 0)
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    for (int i = 0; i < CLIENTS; i++)
        coros[i] = test_start(asks_again_and_again, NULL);
    for (int i = 0; i < CLIENTS; i++)
        IS(test_end(coros[i]), 0);
    return test_end(server);
}

/* Each connection is served, whichever worker has begun or ended meanwhile. */
static void comings_and_goings(void)
{
    unsigned served = 0;

    run_crew(join_and_leave);
    for (unsigned k = 0; k < WORKERS; k++)
        served += atomic_load(&shared.served[k]);
    ck_assert_uint_eq(served, CLIENTS * MANY);
    ck_assert_uint_gt(atomic_load(&shared.served[1]), 0);
}

static ssize_t twice(void *arg)
{
    struct cg_coro *coro;
    struct cg_sock *listener;
    char addr[CG_ADDR_SIZE];

    (void)arg;
    if (cg_worker_id() != 0)
        return 0;
    coro = test_start(serves_until_told, NULL);
    test_until_waiting(coro);
    cg_sock_close(connect_and_ask());
    listener = test_listen(addr);
    IS(cg_yield(cg_serve(listener, answers, .spread = "echo")), -EEXIST);
    cg_sock_close(listener);
    OK(cg_yield(cg_signal("over", 0)));
    return test_end(coro);
}

static void one_server_of_a_name(void)
{
    run_crew(twice);
}

/* Connects twice to a worker with one free place, which serves one after the other. */
static void two_at_one_place(unsigned worker)
{
    struct cg_sock *first = connect_to(worker), *second;

    ck_assert_uint_eq(ask(first), worker);
    second = connect_to(worker);
    for (int i = 0; i < EACH; i++)
        ask(first);
    cg_sock_close(first);
    ck_assert_uint_eq(ask(second), worker);
    cg_sock_close(second);
    ck_assert_uint_eq(atomic_load(&shared.most[worker]), 1);
}

static ssize_t alone_with_one_place(void *arg)
{
    struct cg_coro *coro;

    (void)arg;
    if (cg_worker_id() != 0)
        return 0;
    coro = test_start(serves_until_told, (void *)(uintptr_t)1);
    test_until_waiting(coro);
    two_at_one_place(0);
    OK(cg_yield(cg_signal("over", 0)));
    return test_end(coro);
}

/* A worker accepts a connection without a place for it; the connection waits for one. */
static void waits_for_a_place(void)
{
    run_crew(alone_with_one_place);
}

static ssize_t beside_one_place(void *arg)
{
    static const unsigned servers[] = {0, 1, 0, 1};
    struct cg_sock *conns[COUNT(servers)];
    struct cg_coro *coro;

    (void)arg;
    if (cg_worker_id() == 2)
        return 0;
    coro = test_start(serves_until_told, (void *)(uintptr_t)cg_worker_id());
    if (cg_worker_id() != 0)
        return test_end(coro);
    wait_for_servers(2);
    conns[0] = connect_to(1);
    close_those_of_worker_1(conns, 1); /* it serves now */
    for (size_t i = 0; i < COUNT(conns); i++) {
        conns[i] = connect_to(0);
        ck_assert_uint_eq(ask(conns[i]), servers[i]);
    }
    close_those_of_worker_1(conns, COUNT(conns));
    atomic_store(&shared.most[1], 0);
    two_at_one_place(1);
    for (size_t i = 0; i < COUNT(conns); i++)
        if (conns[i] != NULL)
            cg_sock_close(conns[i]);
    OK(cg_yield(cg_signal_crew("over", 0)));
    return test_end(coro);
}

/* Worker 1 has one place and gets a second connection from another worker. When both have
 * ended, it still has one place. */
static void no_place_too_many(void)
{
    run_crew(beside_one_place);
}

static ssize_t says_over(void *arg)
{
    (void)arg;
    return cg_yield(cg_signal("over", 0));
}

static ssize_t beside_one_that_drains(void *arg)
{
    struct cg_sock *held, *conns[WORKERS];
    struct cg_coro *coro;

    (void)arg;
    if (cg_worker_id() == 2)
        return 0;
    coro = test_start(serves_until_told, NULL);
    if (cg_worker_id() != 0)
        return test_end(coro);
    wait_for_servers(2);
    held = connect_to(1);
    ck_assert_uint_eq(ask(held), 1);
    IS(cg_yield(cg_run_on(cg_crew_worker(1), says_over, NULL)), 1);
    IS(cg_yield(cg_run_on_each(nothing, NULL)), 0); /* its server has been cancelled */
    for (size_t i = 0; i < COUNT(conns); i++) {
        conns[i] = connect_to(0);
        ck_assert_uint_eq(ask(conns[i]), 0);
    }
    for (size_t i = 0; i < COUNT(conns); i++)
        cg_sock_close(conns[i]);
    cg_sock_close(held);
    OK(cg_yield(cg_signal("over", 0)));
    return test_end(coro);
}

/* A server that only completes what it has begun gets no connections of other workers. */
static void none_while_it_drains(void)
{
    run_crew(beside_one_that_drains);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(same_share),
        PLAIN(same_share_with_limit),
        PLAIN(comings_and_goings),
        PLAIN(one_server_of_a_name),
        PLAIN(waits_for_a_place),
        PLAIN(no_place_too_many),
        PLAIN(none_while_it_drains),
    };

    return test_main("spread", cases, COUNT(cases));
}
