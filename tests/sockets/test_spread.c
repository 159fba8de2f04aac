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
    char addr[CG_ADDR_SIZE]; /* of worker 0, to which all clients connect */
    atomic_uint begun, here[WORKERS], served[WORKERS];
    unsigned most; /* connections of worker 0 at a time */
    atomic_uint clients; /* that have not ended */
} shared;

static void run_crew(cg_fn *fn)
{
    memset(&shared, 0, sizeof shared);
    IS(cg_crew_main(fn, NULL, .workers = WORKERS,
                    .reactor = test_on_sim() ? "sim" : test_reactor(), .grace = CG_MINUTE),
       0);
}

/* Sends each byte back. */
static ssize_t echoes(struct cg_sock *conn, void *arg)
{
    unsigned here = atomic_fetch_add(&shared.here[cg_worker_id()], 1) + 1;
    char byte;

    ck_assert_ptr_eq(arg, cg_worker_self()); /* the .arg of this worker's server */
    if (cg_worker_id() == 0 && here > shared.most)
        shared.most = here;
    atomic_fetch_add(&shared.served[cg_worker_id()], 1);
    while (cg_yield(cg_readall(conn, &byte, 1)) == 1)
        IS(cg_yield(cg_writeall(conn, &byte, 1)), 1);
    atomic_fetch_sub(&shared.here[cg_worker_id()], 1);
    cg_sock_close(conn);
    return 0;
}

static struct cg_op *serving(struct cg_sock *listener, unsigned limit)
{
    static _Thread_local struct cg_serve_op op[WORKERS];
    unsigned id = cg_worker_id();

    op[id] = *(struct cg_serve_op *)cg_serve(listener, echoes, .arg = cg_worker_self(),
                                             .spread = "echo", .grace = CG_MINUTE,
                                             .limit = limit);
    return &op[id].op;
}

static struct cg_sock *begin_to_listen(void)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr);

    if (cg_worker_id() == 0)
        memcpy(shared.addr, addr, sizeof addr);
    return listener;
}

static struct cg_sock *to_worker_0(void)
{
    struct cg_sock *conn;

    OK(cg_yield(cg_connect(shared.addr, &conn)));
    return conn;
}

static void ask(struct cg_sock *conn)
{
    char byte = 'x';

    IS(cg_yield(cg_writeall(conn, &byte, 1)), 1);
    IS(cg_yield(cg_readall(conn, &byte, 1)), 1);
}

static struct cg_sock *connect_and_ask(void)
{
    struct cg_sock *conn = to_worker_0();

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

static ssize_t all_connect(void *arg)
{
    struct cg_sock *conns[WORKERS * EACH];
    struct cg_coro *coro = test_start(serves_until_told, arg);

    if (cg_worker_id() != 0)
        return test_end(coro);
    while (atomic_load(&shared.begun) < WORKERS)
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    for (size_t i = 0; i < COUNT(conns); i++)
        conns[i] = connect_and_ask();
    for (unsigned k = 0; k < WORKERS; k++)
        ck_assert_uint_eq(atomic_load(&shared.here[k]), EACH);
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
    IS(cg_yield(cg_serve(listener, echoes, .spread = "echo")), -EEXIST);
    cg_sock_close(listener);
    OK(cg_yield(cg_signal("over", 0)));
    return test_end(coro);
}

static void one_server_of_a_name(void)
{
    run_crew(twice);
}

static ssize_t two_at_one_place(void *arg)
{
    struct cg_coro *coro;
    struct cg_sock *first, *second;

    (void)arg;
    if (cg_worker_id() != 0)
        return 0;
    coro = test_start(serves_until_told, (void *)(uintptr_t)1);
    test_until_waiting(coro);
    first = connect_and_ask();
    second = to_worker_0();
    for (int i = 0; i < EACH; i++)
        ask(first);
    cg_sock_close(first);
    ask(second);
    cg_sock_close(second);
    OK(cg_yield(cg_signal("over", 0)));
    return test_end(coro);
}

/* The only worker that serves accepts a connection without a place; it waits for one. */
static void waits_for_a_place(void)
{
    run_crew(two_at_one_place);
    ck_assert_uint_eq(shared.most, 1);
    ck_assert_uint_eq(atomic_load(&shared.served[0]), 2);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(same_share),
        PLAIN(same_share_with_limit),
        PLAIN(comings_and_goings),
        PLAIN(one_server_of_a_name),
        PLAIN(waits_for_a_place),
    };

    return test_main("spread", cases, COUNT(cases));
}
