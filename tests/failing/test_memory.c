/* SPDX-License-Identifier: MIT */
/* The vocabulary without memory: a short life of each object, in which the first, the
 * second, ... the last allocation fails. It completes with -ENOMEM or does without the
 * memory; nothing hangs, crashes or leaks, and the same life right after it, in the same
 * scheduler, succeeds. */
#include "config.h"

#include "tests/failing/failing.h"
#include "tests/support/support.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Like IS, because Check's own assertions allocate. */
#define HAS(expr) IS((expr) ? 1 : 0, 1)

static __thread bool counted; /* one of this thread's allocations fails */
static long countdown;        /* allocations until then */
static bool failed;
static bool no_stacks; /* mapping a stack fails */

bool failing_now(enum failing_what what)
{
    if (no_stacks && what == FAILING_PAGES)
        return true;
    if (!counted || failed || countdown-- > 0)
        return false;
    return failed = true;
}

/* Each of the next functions returns 0 or the first failure. */

enum {
    MANY = 40
};

static struct cg_sched *sched(void)
{
    return cg_sched_self();
}

/* The first failure of two results, or 0. */
static ssize_t first(ssize_t rc, ssize_t next)
{
    return rc < 0 ? rc : next < 0 ? next : 0;
}

static ssize_t queue(void *arg)
{
    struct cg_queue *queue = cg_queue_new();
    intptr_t in = 0, out;
    ssize_t rc = queue ? 0 : -ENOMEM;

    (void)arg;
    for (int i = 0; queue && i < MANY; i++) {
        ssize_t put = cg_yield(cg_put(queue, in));

        in += put == 0; /* if it was refused, the next item gets its number */
        rc = first(rc, put);
    }
    for (intptr_t i = 0; i < in; i++) {
        IS(cg_yield(cg_get(queue, &out)), 0);
        IS(out, i);
    }
    cg_queue_free(queue);
    return rc;
}

static ssize_t pubsub(void *arg)
{
    struct cg_pubsub *pubsub = cg_pubsub_new();
    struct cg_subscriber reader;
    intptr_t in = 0, out[MANY];
    ssize_t rc = 0;

    (void)arg;
    if (!pubsub)
        return -ENOMEM;
    cg_pubsub_subscribe(pubsub, &reader, CG_SINCE_NOW);
    for (int i = 0; i < MANY; i++) {
        ssize_t published = cg_yield(cg_publish(pubsub, in));

        in += published == 0;
        rc = first(rc, published);
    }
    IS(cg_yield(cg_fetch(&reader, out, MANY)), in);
    for (intptr_t i = 0; i < in; i++)
        IS(out[i], i);
    cg_pubsub_free(pubsub);
    return rc;
}

static ssize_t counts_down(struct cg_gen *gen, void *arg)
{
    for (intptr_t n = (intptr_t)arg; n > 0; n--)
        if (cg_gen_yield(gen, n, NULL) < 0)
            break;
    return 0;
}

/* Yields the values of an inner generator, and then one more. */
static ssize_t passes_on(struct cg_gen *gen, void *arg)
{
    struct cg_gen *sub = cg_gen_new(counts_down, arg);
    ssize_t rc = sub ? cg_gen_from(gen, sub) : -ENOMEM;

    cg_gen_free(sub);
    return rc;
}

static ssize_t generator(void *arg)
{
    struct cg_gen *gens[8];
    ssize_t rc = 0, n;
    intptr_t value;

    (void)arg;
    for (size_t i = 0; i < COUNT(gens); i++) {
        gens[i] = cg_gen_new(passes_on, (void *)3);
        if (!gens[i]) {
            rc = -ENOMEM;
            continue;
        }
        n = cg_gen_next(gens[i], &value);
        if (n == 1)
            IS(value, 3);
        rc = first(rc, n);
    }
    for (size_t i = 0; i < COUNT(gens); i++)
        cg_gen_free(gens[i]);
    return rc;
}

static ssize_t answers(void *arg)
{
    (void)arg;
    OK(cg_yield(cg_pass()));
    return 7;
}

static void is_done(struct cg_future *future, void *arg)
{
    (void)future;
    ++*(int *)arg;
}

static ssize_t future(void *arg)
{
    struct cg_future *futures[2] = {cg_future_new(sched()),
                                    cg_task_new(sched(), answers, NULL)};
    ssize_t rc = futures[0] && futures[1] ? 0 : -ENOMEM;
    int done = 0, wanted = 0;

    (void)arg;
    if (futures[0]) {
        ssize_t added = cg_future_add_done(futures[0], is_done, &done);

        wanted = added == 0;
        rc = first(rc, added);
        IS(cg_future_set_result(futures[0], 5), 0);
        IS(cg_yield(cg_await(futures[0])), 5);
    }
    if (futures[1])
        IS(cg_yield(cg_await(futures[1])), 7);
    if (futures[0] && futures[1]) {
        rc = first(rc, cg_yield(cg_await_all(futures, 2)));
        rc = first(rc, cg_yield(cg_await_any(futures, 2)));
    }
    OK(cg_yield(cg_sleep(1)));
    IS(done, wanted);
    cg_future_unref(futures[0]);
    cg_future_unref(futures[1]);
    return rc;
}

static void adds_one(void *arg)
{
    ++*(int *)arg;
}

static ssize_t handle(void *arg)
{
    struct cg_handle *later = NULL;
    int called = 0, wanted = 0;
    ssize_t rc = 0, code;

    (void)arg;
    for (int i = 0; i < 4; i++) {
        code = i % 2 ? cg_sched_call_later(sched(), i, adds_one, &called, NULL)
                     : cg_sched_call_soon(sched(), adds_one, &called, NULL);
        wanted += code == 0;
        rc = first(rc, code);
    }
    rc = first(rc, cg_sched_call_later(sched(), CG_HOUR, adds_one, &called, &later));
    if (later)
        IS(cg_handle_cancel(later), 0);
    cg_handle_unref(later);
    code = cg_sched_post(sched(), adds_one, &called);
    wanted += code == 0;
    rc = first(rc, code);
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    IS(called, wanted);
    return rc;
}

static ssize_t produces(void *arg)
{
    for (intptr_t i = 1; i <= 3; i++)
        if (cg_yield(cg_produce(i)) < 0)
            break;
    return (ssize_t)(intptr_t)arg;
}

static ssize_t iterate(void *arg)
{
    struct cg_iterator it = cg_iterator(produces, NULL);
    intptr_t value, wanted = 1;
    ssize_t rc;

    (void)arg;
    while ((rc = cg_yield(cg_get_next(&it, &value))) == 1)
        IS(value, wanted++);
    if (rc == 0)
        IS(wanted, 4);
    IS(cg_yield(cg_stop_producer(&it)), 0);
    return rc;
}

static ssize_t group(void *arg)
{
    struct cg_group group;
    ssize_t rc = 0;

    (void)arg;
    cg_group_open(&group);
    for (int i = 0; i < MANY; i++)
        rc = first(rc, cg_yield(cg_add_to_group(&group, answers, NULL)));
    IS(cg_yield(cg_wait_group(&group)), 0);
    return rc;
}

/* Compound branches need a stack each. */
static ssize_t race(void *arg)
{
    struct cg_op *one = cg_call(answers, NULL), *two = cg_call(answers, NULL);
    ssize_t rc = cg_yield(cg_all((one, two)));

    (void)arg;
    return first(first(rc, cg_op_result(one)), cg_op_result(two));
}

/* The first wait makes the tables of names; a signal that finds none makes nothing. */
static ssize_t signal_wait(void *arg)
{
    ssize_t rc;

    (void)arg;
    IS(cg_yield(cg_signal("go", 0)), 0);
    rc = cg_yield(cg_wait_signal("go", NULL, .timeout = CG_NOWAIT));
    if (rc == -ETIMEDOUT)
        rc = 0;
    return first(rc, cg_yield(cg_signal("go", 0)));
}

/* A signaller that waits for recipients makes the tables of names, too. */
static ssize_t signaller(void *arg)
{
    ssize_t rc =
        cg_yield(cg_signal("go", 0, .recipients = 1, .timeout = CG_NOWAIT));

    (void)arg;
    return rc == -ETIMEDOUT ? 0 : rc;
}

static int destroyed;

static void destroys(void *value)
{
    (void)value;
    destroyed++;
}

static ssize_t has_locals(void *arg)
{
    static const struct cg_local keys[MANY] = {{destroys}, {destroys}};
    ssize_t rc = 0;

    (void)arg;
    destroyed = 0;
    for (int i = 0; i < MANY; i++) {
        int code = cg_local_set(&keys[i], (void *)&keys[i]);

        HAS(cg_local_get(&keys[i]) == (code < 0 ? NULL : &keys[i]));
        rc = first(rc, code);
    }
    return rc;
}

static ssize_t local(void *arg)
{
    struct cg_coro *coro;
    ssize_t rc = cg_sched_start(sched(), has_locals, arg, .coro = &coro);

    if (rc < 0)
        return rc;
    rc = test_end(coro);
    if (rc == 0)
        IS(destroyed, 2);
    return rc;
}

static ssize_t works(void *arg)
{
    return (ssize_t)(intptr_t)arg;
}

static ssize_t offload(void *arg)
{
    struct cg_pool *pool = cg_pool_new(2, 10);
    ssize_t rc = pool ? 0 : -ENOMEM;

    (void)arg;
    for (int i = 0; pool && i < 3; i++) {
        ssize_t n = cg_yield(cg_offload(works, (void *)5, .pool = pool));

        if (n >= 0)
            IS(n, 5);
        rc = first(rc, n);
    }
    cg_pool_free(pool);
    return rc;
}

static ssize_t process(void *arg)
{
    struct cg_process *process;
    struct cg_output out = {.limit = 100};
    ssize_t rc = cg_process_spawn(sched(), ((char *[]){"cat", NULL}), &process,
                                  .in = CG_STDIO_PIPE, .out = CG_STDIO_PIPE);

    (void)arg;
    if (rc < 0)
        return rc;
    rc = cg_yield(cg_communicate(process, "hello", 5, .out = &out));
    if (rc == 0)
        HAS(out.len == 5 && memcmp(out.data, "hello", 6) == 0);
    free(out.data);
    cg_process_close(process);
    return rc;
}

static ssize_t process_by_fork(void *arg)
{
    struct cg_process *process;
    const char *failed;
    ssize_t rc = cg_process_spawn(sched(), ((char *[]){"true", NULL}), &process,
                                  .in = CG_STDIO_NULL, .session = true, .failed = &failed);

    (void)arg;
    if (rc < 0)
        return rc;
    rc = cg_yield(cg_wait_process(process));
    cg_process_close(process);
    return rc;
}

static ssize_t disk(void *arg)
{
    char path[] = "/tmp/cogen-test-memory-XXXXXX", buf[4];
    int fd = mkstemp(path);
    ssize_t rc;

    (void)arg;
    OK(fd);
    unlink(path);
    rc = cg_yield(cg_write_file(fd, "four", 4, 0));
    if (rc >= 0)
        rc = cg_yield(cg_read_file(fd, buf, sizeof buf, 0));
    close(fd);
    return rc < 0 ? rc : 0;
}

static ssize_t records(void *arg)
{
    struct cg_resolver *names;
    ssize_t rc = cg_resolver_open("fixed", NULL, &names);

    (void)arg;
    if (rc < 0)
        return rc;
    rc = cg_resolver_set_records(names, CG_RESOLVE_SRV, "a.test", "1 2 3 b.test");
    cg_resolver_close(names);
    return rc;
}

static ssize_t follow(void *arg)
{
    char path[] = "/tmp/cogen-test-memory-XXXXXX", line[100];
    struct cg_follower *follow = NULL;
    int fd = mkstemp(path);
    ssize_t rc;

    (void)arg;
    OK(fd);
    IS(write(fd, "one\ntwo\n", 8), 8);
    rc = cg_follower_open(sched(), path, &follow, .from_start = true,
                          .interval = CG_MILLISECOND);
    for (int i = 0; follow && i < 3; i++) {
        ssize_t n = cg_yield(cg_follow_line(follow, line, sizeof line));

        if (n > 0)
            IS(n, i == 2 ? 6 : 4);
        else
            i--; /* the line is still there */
        if (i == 1)
            IS(write(fd, "three\n", 6), 6);
        rc = first(rc, n);
    }
    cg_follower_close(follow);
    unlink(path);
    close(fd);
    return rc;
}

/* A datagram that finds no memory in the simulated network is lost: -ENOBUFS there. */
static ssize_t datagrams(void *arg)
{
    struct cg_sock *server = NULL, *client = NULL;
    char addr[CG_ADDR_SIZE], buf[8];
    ssize_t rc = cg_datagram_open(sched(), "127.0.0.1:0", &server);

    (void)arg;
    if (rc == 0)
        rc = cg_sock_local_addr(server, addr, sizeof addr);
    if (rc == 0)
        rc = cg_datagram_open(sched(), NULL, &client, .peer = addr);
    if (rc == 0)
        rc = cg_yield(cg_send_to(client, "hello", 5, NULL));
    if (rc >= 0) {
        IS(rc, 5);
        rc = cg_yield(cg_receive_from(server, buf, sizeof buf, NULL));
    }
    if (rc >= 0)
        IS(rc, 5);
    cg_sock_close(client);
    cg_sock_close(server);
    return rc == -ENOBUFS ? -ENOMEM : rc < 0 ? rc : 0;
}

/* Without memory for the client's address the header cannot be taken. */
static ssize_t proxy_header(void *arg)
{
    struct cg_sock *ends[2] = {NULL, NULL};
    char peer[CG_ADDR_SIZE];
    ssize_t rc = cg_sock_pair(sched(), &ends[0], &ends[1]);

    (void)arg;
    if (rc == 0)
        rc = cg_yield(cg_write_proxy_header(ends[0], "192.0.2.1:5", "192.0.2.2:6"));
    if (rc >= 0)
        rc = cg_yield(cg_read_proxy_header(ends[1]));
    if (rc >= 0) {
        IS(rc, 1);
        IS(cg_sock_peer_addr(ends[1], peer, sizeof peer), 0);
        HAS(strcmp(peer, "192.0.2.1:5") == 0);
    }
    cg_sock_close(ends[0]);
    cg_sock_close(ends[1]);
    return rc < 0 ? rc : 0;
}

static ssize_t os_signal(void *arg)
{
    struct cg_os_signals *signals;
    ssize_t rc = cg_os_signals_open(sched(), SIGUSR1, &signals);

    (void)arg;
    if (rc < 0)
        return rc;
    kill(getpid(), SIGUSR1);
    IS(cg_yield(cg_get_os_signal(signals)), 1);
    cg_os_signals_close(signals);
    return 0;
}

struct life {
    cg_fn *fn;
    ssize_t answer, again;
    bool told; /* something failed */
};

static ssize_t awaits(void *arg)
{
    return cg_yield(cg_wait_event(arg));
}

/* Runs a life after all pooled stacks were taken. */
static ssize_t lives(void *arg)
{
    struct life *life = arg;
    struct cg_event event = {0};
    struct cg_group group;

    cg_group_open(&group);
    no_stacks = true;
    while (cg_group_start_with(&group, awaits, &event, NULL, NULL) == 0)
        ;
    no_stacks = false;
    counted = true;
    life->answer = life->fn(NULL);
    counted = false;
    cg_event_set(&event);
    return cg_yield(cg_wait_group(&group));
}

/* One trial. False: there was nothing left to fail. */
static bool survives(cg_fn *fn, long n)
{
    struct life life = {.fn = fn};
    struct test test;
    bool told;

    if (n >= 0) /* the trial with n < 0 makes what is never freed */
        failing_watch();
    test = test_open(.timeout = 0);
    failed = n < 0;
    countdown = n;
    OK(cg_sched_start(test.sched, lives, &life));
    test_finish(&test);
    told = failed && n >= 0;
    if (life.answer < 0 || !told)
        IS(life.answer, told ? -ENOMEM : 0);
    failed = true;
    OK(cg_sched_start(test.sched, lives, &life));
    test_finish(&test);
    IS(life.answer, 0);
    test_close(&test);
    IS((ssize_t)failing_left(), 0);
    return told;
}

static void each(const char *name, cg_fn *fn, long least)
{
    static char label[64];
    long n = 0;

    snprintf(label, sizeof label, ", %s", name);
    test_label(label);
    survives(fn, -1);
    while (survives(fn, n))
        snprintf(label, sizeof label, ", %s, allocation %ld fails", name, ++n);
    HAS(n >= least); /* otherwise the test would test nothing */
}

#define EACH(life, least) each(#life, life, least)

/* Without a scheduler, in a thread of its own, whose pool of stacks ends with it. */
static void *lives_alone(void *arg)
{
    struct life *life = arg;

    counted = true;
    life->answer = generator(NULL);
    counted = false;
    life->told = failed;
    failed = true;
    life->again = generator(NULL);
    return NULL;
}

static void generators(void)
{
    struct life life = {.told = true};
    pthread_t thread;
    long n;

    for (n = -1; life.told; n++) {
        if (n >= 0)
            failing_watch();
        failed = n < 0;
        countdown = n;
        IS(pthread_create(&thread, NULL, lives_alone, &life), 0);
        IS(pthread_join(thread, NULL), 0);
        if (life.answer < 0 || !life.told)
            IS(life.answer, life.told ? -ENOMEM : 0);
        IS(life.again, 0);
        IS((ssize_t)failing_left(), 0);
    }
    HAS(n > 4);
}

/* The objects that need only a scheduler. */
static void inside(void)
{
    EACH(queue, 2);
    EACH(pubsub, 2);
    EACH(future, 2);
    EACH(handle, 2);
    EACH(iterate, 1);
    EACH(group, 1);
    EACH(race, 1);
    EACH(local, 1);
    EACH(signal_wait, 1);
    EACH(signaller, 1);
    EACH(follow, 2);
    EACH(datagrams, 2);
    EACH(proxy_header, 2);
}

/* The objects that need threads, processes and signals. */
static void outside(void)
{
    EACH(offload, 2);
    EACH(process, 2);
    EACH(process_by_fork, 2);
    EACH(disk, 1);
    EACH(records, 2);
    EACH(os_signal, 1);
}

static const struct test_case cases[] = {
    PLAIN(generators, .where = ON_SIM),
    PLAIN(inside),
    PLAIN(outside, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("memory", cases, COUNT(cases));
}
