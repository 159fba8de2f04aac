/* SPDX-License-Identifier: MIT */
/* The vocabulary without memory. */
#include "config.h"

#include "tests/failing/lives.h"

#include <errno.h>

enum {
    MANY = 40
};

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

static void generators(void)
{
    lives_alone(generator, 5);
}

static void all(void)
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
}

static const struct test_case cases[] = {
    PLAIN(generators, .where = ON_SIM),
    PLAIN(all),
};

int main(void)
{
    return test_main("memory", cases, COUNT(cases));
}
