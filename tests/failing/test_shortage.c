/* SPDX-License-Identifier: MIT */
/* Objects that coroutines share, without memory: every failed allocation is returned as an
 * error, and nothing is lost. */
#include "config.h"

#include "tests/failing/failing.h"
#include "tests/support/support.h"

#include <errno.h>

static bool lacking;   /* every allocation fails */
static bool no_stacks; /* only allocations of stacks fail */
static bool no_growth; /* no allocation can be made larger */

bool failing_now(enum failing_what what)
{
    return lacking || (no_stacks && what == FAILING_PAGES) ||
           (no_growth && what == FAILING_LARGER);
}

/* A queue without a limit that cannot grow returns an error and keeps its items. A queue
 * with a limit allocates nothing later. */
static ssize_t queue(void *arg)
{
    struct cg_queue *free = cg_queue_new(), *bounded = cg_queue_new(.limit = 100),
                    *none;
    intptr_t in = 0, out, rc;

    (void)arg;
    lacking = true;
    none = cg_queue_new(.limit = 1);
    for (intptr_t i = 0; i < 100; i++)
        IS(cg_yield(cg_put(bounded, i)), 0);
    lacking = false;
    ck_assert_ptr_null(none); /* Check's own assertions allocate */
    IS(cg_yield(cg_put(free, in++)), 0); /* the room is even, and full after an odd one */
    do {
        IS(cg_yield(cg_put(free, in++)), 0);
        lacking = true;
        rc = cg_yield(cg_put(free, in));
        lacking = false;
        in += rc == 0;
    } while (rc == 0);
    IS(rc, -ENOMEM);
    IS((ssize_t)cg_queue_len(free), in);
    IS(cg_yield(cg_put(free, in++)), 0);
    for (intptr_t i = 0; i < in; i++) {
        IS(cg_yield(cg_get(free, &out)), 0);
        IS(out, i);
        IS(cg_queue_task_done(free), 0);
    }
    IS(cg_queue_task_done(free), -EINVAL); /* refused items do not count as unfinished */
    cg_queue_free(free);
    cg_queue_free(bounded);
    return 0;
}

/* A message that cannot be stored is published to no subscriber. */
static ssize_t pubsub(void *arg)
{
    struct cg_pubsub *pubsub = cg_pubsub_new(), *none;
    struct cg_subscriber reader;
    intptr_t got[20];

    (void)arg;
    cg_pubsub_subscribe(pubsub, &reader, CG_SINCE_NOW);
    lacking = true;
    none = cg_pubsub_new();
    IS(cg_yield(cg_publish(pubsub, 9)), -ENOMEM);
    lacking = false;
    ck_assert_ptr_null(none);
    IS(cg_yield(cg_fetch(&reader, got, 1, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    for (intptr_t i = 0; i < 16; i++)
        IS(cg_yield(cg_publish(pubsub, i)), 0);
    lacking = true;
    IS(cg_yield(cg_publish(pubsub, 9)), -ENOMEM);
    lacking = false;
    IS(cg_yield(cg_publish(pubsub, 16)), 0);
    IS(cg_yield(cg_fetch(&reader, got, 20)), 17);
    for (intptr_t i = 0; i < 17; i++)
        IS(got[i], i);
    cg_pubsub_free(pubsub);
    return 0;
}

/* A value that cannot be set leaves the others unchanged. */
static ssize_t local(void *arg)
{
    static const struct cg_local keys[5];

    (void)arg;
    lacking = true;
    IS(cg_local_set(&keys[0], "0"), -ENOMEM);
    lacking = false;
    for (int i = 0; i < 4; i++)
        IS(cg_local_set(&keys[i], "v"), 0);
    lacking = true;
    IS(cg_local_set(&keys[4], "v"), -ENOMEM);
    IS(cg_local_set(&keys[3], "w"), 0);
    lacking = false;
    ck_assert_str_eq(cg_local_get(&keys[0]), "v");
    ck_assert_ptr_null(cg_local_get(&keys[4]));
    return 0;
}

static ssize_t awaits(void *arg)
{
    return cg_yield(cg_wait_event(arg));
}

/* Takes the stacks that are left. */
static size_t fill(struct cg_group *group, struct cg_event *event)
{
    size_t n = 0;
    int rc;

    no_stacks = true;
    while ((rc = cg_group_start_with(group, awaits, event, NULL, NULL)) == 0)
        n++;
    IS(rc, -ENOMEM);
    return n;
}

static ssize_t produces(void *arg)
{
    return cg_yield(cg_produce(arg));
}

/* Without a stack no coroutine is added and no generator starts; later both succeed. */
static ssize_t stacks(void *arg)
{
    struct cg_event event = {0};
    struct cg_iterator it = cg_iterator(produces, &event);
    struct cg_mutex mutex = {0};
    struct cg_group group;
    void *value;
    size_t n;

    (void)arg;
    cg_group_open(&group);
    n = fill(&group, &event);
    IS(cg_yield(cg_add_to_group(&group, awaits, &event)), -ENOMEM);
    IS((ssize_t)cg_group_count(&group), (ssize_t)n);
    IS(cg_yield(cg_get_next(&it, &value)), -ENOMEM);
    IS(cg_yield(cg_any((cg_call_locked(&mutex, awaits, &event)))), 0);
    IS(cg_mutex_destroy(&mutex), 0);
    no_stacks = false;
    IS(cg_yield(cg_get_next(&it, &value)), 1);
    ck_assert_ptr_eq(value, &event);
    IS(cg_yield(cg_get_next(&it, &value)), 0);
    cg_event_set(&event);
    IS(cg_yield(cg_wait_group(&group)), 0);
    return 0;
}

static ssize_t greets(struct cg_sock *conn, void *arg)
{
    char byte;
    ssize_t rc = cg_yield(cg_writeall(conn, arg, 1));

    if (rc > 0)
        rc = cg_yield(cg_read(conn, &byte, 1)); /* until it is closed */
    cg_sock_close(conn);
    return rc;
}

static ssize_t serves(void *listener)
{
    IS(cg_yield(cg_serve(listener, greets, .arg = "!", .limit = 1)), -ECANCELED);
    return 0;
}

/* Connects, and returns the result of a read. */
static ssize_t visit(const char *addr, struct cg_sock **conn)
{
    char byte;

    IS(cg_yield(cg_connect(addr, conn)), 0);
    return cg_yield(cg_read(*conn, &byte, 1, .timeout = CG_SECOND));
}

/* If there is no memory for a connection's coroutine or socket, the connection is closed;
 * the server goes on, and the next connection gets the place. */
static ssize_t handlers(void *arg)
{
    struct cg_event event = {0};
    struct cg_sock *listener, *first, *second;
    struct cg_coro *server;
    struct cg_group group;
    char addr[CG_ADDR_SIZE], byte;
    ssize_t rc;

    (void)arg;
    listener = test_listen(addr);
    server = test_start(serves, listener);
    test_until_waiting(server);
    cg_group_open(&group);
    fill(&group, &event);
    rc = visit(addr, &first);
    no_stacks = false;
    ck_assert(rc <= 0);
    cg_sock_close(first);
    IS(visit(addr, &first), 1);
    IS(cg_yield(cg_connect(addr, &second)), 0);
    cg_sock_close(first);
    lacking = true;
    OK(cg_yield(cg_sleep(15 * CG_MILLISECOND)));
    lacking = false;
    IS(cg_yield(cg_read(second, &byte, 1, .timeout = CG_SECOND)), 0);
    cg_sock_close(second);
    IS(visit(addr, &second), 1);
    cg_sock_close(second);
    cg_event_set(&event);
    IS(cg_yield(cg_wait_group(&group)), 0);
    IS(cg_yield(cg_cancel(server)), 0);
    test_end(server);
    cg_sock_close(listener);
    return 0;
}

/* If the simulated network has no room for another handle, an accept is tried again after
 * a pause, as on the kernel, even if no handle was closed. */
static ssize_t accept_one(void *listener)
{
    struct cg_sock *conn = NULL;
    ssize_t rc = cg_yield(cg_accept(listener, &conn, .timeout = CG_MINUTE));

    cg_sock_close(conn);
    return rc;
}

static ssize_t accepts(void *arg)
{
    enum { ROOM = 64, OTHERS = ROOM - 3 }; /* two listeners, and who is to be accepted */
    char addr[CG_ADDR_SIZE], others_addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *others = test_listen(others_addr);
    struct cg_coro *server = test_start(accept_one, listener);
    struct cg_sock *clients[OTHERS + 1];
    int64_t begun;
    ssize_t rc;

    (void)arg;
    for (int i = 0; i < OTHERS; i++)
        OK(cg_yield(cg_connect(others_addr, &clients[i])));
    IS((ssize_t)cg_sim_handles(cg_sched_reactor(cg_sched_self())), ROOM - 1);
    no_growth = true;
    rc = cg_yield(cg_connect(addr, &clients[OTHERS]));
    OK(cg_yield(cg_sleep(CG_SECOND)));
    no_growth = false;
    begun = cg_sched_now(cg_sched_self());
    OK(rc);
    ck_assert_int_eq(cg_coro_state(server), CG_CORO_WAITING);
    IS(test_end(server), 0);
    ck_assert_int_lt(cg_sched_now(cg_sched_self()) - begun, CG_SECOND);
    for (int i = 0; i <= OTHERS; i++)
        cg_sock_close(clients[i]);
    cg_sock_close(listener);
    cg_sock_close(others);
    return 0;
}

static ssize_t late(void *arg)
{
    ck_assert_int_eq(no_stacks, false);
    return cg_op_result(arg);
}

/* An operation that has completed while there was no stack for its coroutine gets one as
 * soon as there is. The size is that of no spare stack. */
static ssize_t starters(void *arg)
{
    struct cg_starter *starter =
        cg_starter_new(cg_sched_self(), late, .stack_size = 320 * 1024);
    struct cg_sleep_op waits[2];

    (void)arg;
    no_stacks = true;
    for (size_t i = 0; i < COUNT(waits); i++) {
        waits[i] = *(struct cg_sleep_op *)cg_sleep(CG_MILLISECOND);
        IS(cg_starter_await(starter, &waits[i].op), 0);
    }
    OK(cg_yield(cg_sleep(CG_SECOND)));
    IS((ssize_t)cg_starter_count(starter), 2);
    no_stacks = false;
    OK(cg_yield(cg_sleep(CG_SECOND)));
    IS((ssize_t)cg_starter_count(starter), 0);
    cg_starter_free(starter);
    return 0;
}

/* A socket that gathers writes without memory writes them. One that limits reading keeps
 * the bytes and the tokens. What cannot be made leaves the socket as it was. */
static ssize_t layers(void *arg)
{
    struct cg_reactor *reactor = cg_sched_reactor(cg_sched_self());
    struct cg_chunk *spare[64];
    struct cg_bucket *bucket, *none;
    struct cg_sock *a, *b, *inner;
    struct cg_view view;
    size_t spares = 0;
    char buf[8];
    ssize_t rc[4];

    (void)arg;
    OK(cg_sock_pair(cg_sched_self(), &a, &b));
    OK(cg_bucket_new(&bucket, .rate = 1, .burst = 100));
    inner = b;
    IS(cg_yield(cg_write(a, "x", 1)), 1); /* leaves a chunk in the pool, which a pair needs */
    IS(cg_yield(cg_read(b, buf, sizeof buf)), 1);
    lacking = true;
    rc[0] = cg_bucket_new(&none, .rate = 1);
    rc[1] = cg_sock_limit(b, &b, .read = bucket);
    rc[2] = cg_sock_buffer(a, &a);
    lacking = false;
    for (int i = 0; i < 3; i++)
        IS(rc[i], -ENOMEM);
    OK(cg_sock_limit(b, &b, .read = bucket));
    OK(cg_sock_buffer(a, &a, .size = CG_BUFFER_MOST));
    lacking = true;
    rc[0] = cg_yield(cg_write(a, "here", 4));
    lacking = false;
    IS(rc[0], 4);
    IS(cg_yield(cg_borrow(inner, &view)), 4);
    cg_view_release(&view, 0);
    while (reactor->chunks_free > 0)
        spare[spares++] = cg_chunk_get(reactor);
    lacking = true;
    rc[0] = cg_yield(cg_borrow(b, &view));
    lacking = false;
    IS(rc[0], -ENOMEM);
    IS((ssize_t)cg_bucket_level(bucket), 100);
    while (spares > 0)
        cg_chunk_put(reactor, spare[--spares]);
    IS(cg_yield(cg_read(b, buf, sizeof buf)), 4);
    IS((ssize_t)cg_bucket_level(bucket), 96);
    cg_sock_close(a);
    cg_sock_close(b);
    cg_bucket_unref(bucket);
    return 0;
}

static ssize_t five(void *arg)
{
    (void)arg;
    return 5;
}

/* The process's pool of threads, which cannot be made without memory, is made later. */
static ssize_t threads(void *arg)
{
    ssize_t n;

    (void)arg;
    lacking = true;
    n = cg_yield(cg_offload(five, NULL));
    lacking = false;
    if (n != 5) /* without forks an earlier case may have made it */
        IS(n, -ENOMEM);
    IS(cg_yield(cg_offload(five, NULL)), 5);
    return 0;
}

static const struct test_case cases[] = {
    CORO(threads, .where = ON_KERNEL),
    CORO(queue, .where = ON_SIM),    CORO(pubsub, .where = ON_SIM),
    CORO(local, .where = ON_SIM),    CORO(stacks, .where = ON_SIM),
    CORO(handlers, .where = ON_SIM), CORO(accepts, .where = ON_SIM),
    CORO(starters, .where = ON_SIM), CORO(layers, .where = ON_SIM),
};

int main(void)
{
    return test_main("shortage", cases, COUNT(cases));
}
