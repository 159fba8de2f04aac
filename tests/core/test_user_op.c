/* SPDX-License-Identifier: MIT */
/* Operation types defined outside the library with the public header alone: a semaphore
 * that is taken in order, a slow device whose cancel takes time, and a compound op. Like
 * the library's own ops, they take every keyword, can be raced, and are listed. */
#include <cogen.h>

#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MS CG_MILLISECOND

/* A semaphore, whose cancel is immediate. */

struct acquire_op;

struct semaphore {
    int free;
    struct acquire_op *first, **last;
};

struct acquire_op {
    CG_OP_HEAD;
    struct semaphore *semaphore;
    struct acquire_op *next;
    int finished; /* how often the finish slot ran */
};

static enum cg_verdict acquire_process(struct cg_op *op, struct cg_sched *sched)
{
    struct acquire_op *acquire = (struct acquire_op *)op;
    struct semaphore *semaphore = acquire->semaphore;

    if (semaphore->free > 0) {
        cg_sched_charge(sched, 1);
        op->result = --semaphore->free;
        return CG_DONE;
    }
    if (!semaphore->first)
        semaphore->last = &semaphore->first;
    acquire->next = NULL;
    *semaphore->last = acquire;
    semaphore->last = &acquire->next;
    return CG_PENDING;
}

static enum cg_verdict acquire_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct acquire_op *acquire = (struct acquire_op *)op, **link;

    (void)sched;
    for (link = &acquire->semaphore->first; *link != acquire; link = &(*link)->next)
        ck_assert_ptr_nonnull(*link);
    *link = acquire->next;
    if (!acquire->next)
        acquire->semaphore->last = link;
    return CG_DONE;
}

static ssize_t acquire_finish(struct cg_op *op)
{
    ((struct acquire_op *)op)->finished++;
    return op->result;
}

static int acquire_print(const struct cg_op *op, char *buf, size_t size)
{
    return snprintf(buf, size, "%d free",
                    ((const struct acquire_op *)op)->semaphore->free);
}

static const struct cg_op_type acquire_type = {
    .name = "acquire",
    .flags = CG_OP_DEFAULT_TIMEOUT,
    .process = acquire_process,
    .cancel = acquire_cancel,
    .finish = acquire_finish,
    .print = acquire_print,
};

#define acquire(...) acquire_(__VA_ARGS__, )
#define acquire_(s, ...) CG_OP(acquire, .semaphore = (s), __VA_ARGS__)

static void release(struct semaphore *semaphore)
{
    struct acquire_op *acquire = semaphore->first;

    if (!acquire) {
        semaphore->free++;
        return;
    }
    semaphore->first = acquire->next;
    cg_op_complete(&acquire->op, 0);
}

static char trace[64];

static ssize_t holds_it(void *arg)
{
    struct semaphore *semaphore = arg;

    OK(cg_yield(acquire(semaphore)));
    strcat(trace, "[");
    IS(cg_yield(cg_sleep(MS)), 0);
    strcat(trace, "]");
    release(semaphore);
    return 0;
}

/* Five coroutines take one semaphore; only one has it at a time. */
static ssize_t one_at_a_time(void *arg)
{
    struct semaphore semaphore = {.free = 1};
    struct cg_coro *coros[5];

    (void)arg;
    for (size_t i = 0; i < COUNT(coros); i++)
        coros[i] = test_start(holds_it, &semaphore);
    for (size_t i = 0; i < COUNT(coros); i++)
        OK(test_end(coros[i]));
    ck_assert_str_eq(trace, "[][][][][]");
    return 0;
}

/* Timeout, deadline, CG_NOWAIT, scope and cg_any end it like the library's own ops, and
 * its finish slot runs once for each yield. */
static ssize_t keywords(void *arg)
{
    struct semaphore semaphore = {.free = 0};
    struct cg_op *op = acquire(&semaphore, .timeout = MS);
    struct cg_op *waiting = acquire(&semaphore);
    int64_t start = cg_sched_now(cg_sched_self());
    struct cg_scope scope;

    (void)arg;
    IS(cg_yield(op), -ETIMEDOUT);
    ck_assert_int_ge(cg_sched_now(cg_sched_self()), start + MS);
    ck_assert_int_eq(((struct acquire_op *)op)->finished, 1);
    ck_assert_ptr_null(semaphore.first);
    IS(cg_yield(acquire(&semaphore, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    IS(cg_yield(acquire(&semaphore, .deadline = start + 5 * MS)), -ETIMEDOUT);
    ck_assert_int_ge(cg_sched_now(cg_sched_self()), start + 5 * MS);
    cg_scope_open(&scope, cg_sched_now(cg_sched_self()) + MS, false);
    IS(cg_yield(waiting), -ECANCELED);
    IS(cg_scope_close(&scope), -ETIMEDOUT);
    IS(cg_yield(cg_any((waiting, cg_sleep(MS)))), 1);
    IS(cg_op_result(waiting), -ECANCELED);
    ck_assert_int_eq(((struct acquire_op *)waiting)->finished, 2);
    ck_assert_ptr_null(semaphore.first);
    release(&semaphore);
    IS(cg_yield(cg_any((cg_sleep(MS), waiting))), 1);
    IS(cg_op_result(waiting), 0);
    release(&semaphore);
    IS(cg_yield(op), 0);
    return 0;
}

static ssize_t acquires(void *arg)
{
    return cg_yield(acquire(arg, .timeout = CG_NEVER));
}

/* An op of a program's own type prints its arguments, and a list names its coroutine. */
static ssize_t prints_and_lists(void *arg)
{
    struct semaphore semaphore = {.free = 0};
    struct cg_coro *coro = test_start(acquires, &semaphore);
    char text[128];

    (void)arg;
    test_until_waiting(coro);
    cg_op_print(cg_coro_op(coro), text, sizeof text);
    ck_assert_msg(!strncmp(text, "acquire 0 free", 14), "%s", text);
    ck_assert_ptr_eq(cg_op_coro(cg_coro_op(coro)), coro);
    release(&semaphore);
    return test_end(coro);
}

static ssize_t waits_by_default(void *arg)
{
    struct semaphore semaphore = {.free = 0};

    (void)arg;
    IS(cg_yield(acquire(&semaphore)), -ETIMEDOUT);
    return 0;
}

/* With CG_OP_DEFAULT_TIMEOUT the scheduler's default applies. */
static void default_timeout(void)
{
    struct test test = test_open(.timeout = CG_SECOND);

    OK(cg_sched_start(test.sched, waits_by_default, NULL));
    test_finish(&test);
    test_close(&test);
}

/* A device, which completes within process, or whose cancel takes time. */

struct device_op {
    CG_OP_HEAD;
    bool at_once;
    int64_t moment; /* when it gives up by itself; 0: never */
    bool asked;     /* it was asked to let go of the op */
};

static enum cg_verdict device_process(struct cg_op *op, struct cg_sched *sched)
{
    struct device_op *device = (struct device_op *)op;

    (void)sched;
    if (device->at_once)
        cg_op_complete(op, 17);
    else if (device->moment)
        cg_op_expire_at(op, device->moment);
    return CG_PENDING;
}

static enum cg_verdict device_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    ((struct device_op *)op)->asked = true;
    return CG_PENDING;
}

static const struct cg_op_type device_type = {
    .name = "device", .process = device_process, .cancel = device_cancel};

#define device(...) CG_OP(device, .result = 0, __VA_ARGS__)

/* An op may complete within its process slot, like at any other time. */
static ssize_t completes_at_once(void *arg)
{
    struct cg_op *op = device(.at_once = true);

    (void)arg;
    IS(cg_yield(op), 17);
    IS(cg_yield(op), 17);
    IS(cg_yield(cg_any((cg_sleep(MS), op))), 1);
    IS(cg_op_result(op), 17);
    IS(cg_yield(cg_all((op, cg_sleep(MS)))), 0);
    return 0;
}

static ssize_t uses_device(void *arg)
{
    return cg_yield(arg);
}

/* A cancelled op completes when its holder lets go, with the reason of the cancellation,
 * whatever result the holder gives; until then its coroutine waits. */
static ssize_t slow_cancel(void *arg)
{
    struct cg_op *op = device(.timeout = MS);
    struct cg_coro *coro = test_start(uses_device, op);

    (void)arg;
    IS(cg_yield(cg_sleep(CG_SECOND)), 0);
    ck_assert(((struct device_op *)op)->asked);
    ck_assert_int_eq(op->state, CG_OP_CANCELLING);
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_WAITING);
    IS(cg_coro_cancel(coro), 0); /* the first reason stands */
    cg_op_complete(op, 99);
    IS(test_end(coro), -ETIMEDOUT);
    IS(cg_op_result(op), -ETIMEDOUT);
    return 0;
}

/* The device in a race: it completes only when the device has let go of the loser. */
static ssize_t races_device(void *arg)
{
    IS(cg_yield(cg_any((arg, cg_sleep(MS)))), 1);
    IS(cg_op_result(arg), -ECANCELED);
    return 0;
}

static ssize_t slow_loser(void *arg)
{
    struct cg_op *op = device(.timeout = CG_NEVER);
    struct cg_coro *coro = test_start(races_device, op);

    (void)arg;
    IS(cg_yield(cg_sleep(CG_SECOND)), 0);
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_WAITING);
    ck_assert(((struct device_op *)op)->asked);
    cg_op_complete(op, 99);
    return test_end(coro);
}

static ssize_t lets_go(void *arg)
{
    struct device_op *device = arg;

    while (!device->asked)
        IS(cg_yield(cg_sleep(MS)), 0);
    cg_op_complete(&device->op, 0);
    return 0;
}

/* An op can set its own expiry; an earlier timeout or deadline by keyword counts
 * instead. */
static ssize_t expires_by_itself(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    int64_t start = cg_sched_now(sched);
    struct cg_op *op = device(.moment = start + 10 * MS);
    struct cg_coro *helper = test_start(lets_go, op);

    (void)arg;
    IS(cg_yield(op), -ETIMEDOUT);
    ck_assert_int_ge(cg_sched_now(sched), start + 10 * MS);
    ck_assert_int_le(cg_sched_now(sched), start + 12 * MS);
    IS(test_end(helper), 0);
    op = device(.moment = cg_sched_now(sched) + CG_HOUR, .timeout = 10 * MS);
    helper = test_start(lets_go, op);
    start = cg_sched_now(sched);
    IS(cg_yield(op), -ETIMEDOUT);
    ck_assert_int_le(cg_sched_now(sched), start + 12 * MS);
    return test_end(helper);
}

/* A weak timeout starts anew at every progress, a strong one does not. */
static ssize_t weak_timeout(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    struct cg_op *op = device(.timeout = 10 * MS, .weak_timeout = true);
    struct cg_coro *coro = test_start(uses_device, op), *helper;
    int64_t start;

    (void)arg;
    for (int i = 0; i < 20; i++) {
        IS(cg_yield(cg_sleep(6 * MS)), 0);
        ck_assert(!((struct device_op *)op)->asked);
        cg_op_progress(op);
    }
    start = cg_sched_now(sched);
    helper = test_start(lets_go, op);
    IS(test_end(coro), -ETIMEDOUT);
    ck_assert_int_ge(cg_sched_now(sched), start + 10 * MS);
    ck_assert_int_le(cg_sched_now(sched), start + 12 * MS);
    IS(test_end(helper), 0);

    op = device(.timeout = 10 * MS);
    start = cg_sched_now(sched);
    coro = test_start(uses_device, op);
    helper = test_start(lets_go, op);
    for (int i = 0; i < 3; i++) {
        IS(cg_yield(cg_sleep(4 * MS)), 0);
        if (op->state == CG_OP_PENDING)
            cg_op_progress(op);
    }
    IS(test_end(coro), -ETIMEDOUT);
    ck_assert_int_le(cg_sched_now(sched), start + 12 * MS);
    return test_end(helper);
}

/* A compound op, whose body yields. */

struct nap_op {
    CG_OP_HEAD;
    int naps;
    int taken;
};

static ssize_t nap_run(struct cg_op *op)
{
    struct nap_op *nap = (struct nap_op *)op;

    for (nap->taken = 0; nap->taken < nap->naps; nap->taken++) {
        ssize_t answer = cg_yield(cg_sleep(MS));

        if (answer < 0)
            return answer;
    }
    return nap->taken;
}

static const struct cg_op_type nap_type = {.name = "nap", .run = nap_run};

#define nap(...) nap_(__VA_ARGS__, )
#define nap_(n, ...) CG_OP(nap, .naps = (n), __VA_ARGS__)

/* The body of a compound op yields on the caller's stack. A timeout ends the yield inside,
 * and is the op's result. In a race it can lose like a plain op. */
static ssize_t compound(void *arg)
{
    struct cg_op *op = nap(10, .timeout = 5 * MS + MS / 2);
    struct cg_op *slow = nap(100), *quick = nap(2);

    (void)arg;
    IS(cg_yield(nap(3)), 3);
    IS(cg_yield(op), -ETIMEDOUT);
    ck_assert_int_eq(((struct nap_op *)op)->taken, 5);
    IS(cg_yield(cg_any((slow, quick))), 1);
    IS(cg_op_result(slow), -ECANCELED);
    IS(cg_op_result(quick), 2);
    IS(cg_yield(cg_all((nap(1), quick))), 0);
    IS(cg_yield(cg_any((nap(100), nap(200)), .timeout = MS)), -ETIMEDOUT);
    return 0;
}

struct charged_op {
    CG_OP_HEAD;
    size_t bytes;
};

static enum cg_verdict charged_process(struct cg_op *op, struct cg_sched *sched)
{
    cg_sched_charge(sched, ((struct charged_op *)op)->bytes);
    op->result = 0;
    return CG_DONE;
}

static const struct cg_op_type charged_type = {.name = "charged", .process = charged_process};

#define charged(n) CG_OP(charged, .bytes = (n))

static int charges;

static ssize_t is_charged(void *arg)
{
    for (charges = 0; charges < 100;) {
        charges++;
        IS(cg_yield(charged((size_t)arg)), 0);
    }
    return 0;
}

/* How many ops of `bytes` bytes complete before another coroutine runs. */
static int in_a_row(size_t bytes)
{
    struct cg_coro *coro = test_start(is_charged, (void *)bytes);
    int n;

    IS(cg_yield(cg_pass()), 0);
    n = charges;
    IS(test_end(coro), 0);
    return n;
}

/* A coroutine may do 16 ops, or move 64 KiB, before others run. */
static ssize_t bytes_are_counted(void *arg)
{
    (void)arg;
    ck_assert_int_eq(in_a_row(0), 16);
    ck_assert_int_eq(in_a_row(4 * 1024), 16);
    ck_assert_int_eq(in_a_row(8 * 1024), 8);
    ck_assert_int_eq(in_a_row(32 * 1024), 2);
    ck_assert_int_eq(in_a_row(1024 * 1024), 1);
    return 0;
}

static ssize_t notes_its_turn(void *arg)
{
    OK(cg_yield(arg));
    strcat(trace, ((struct cg_op *)arg)->prio & CG_PRIO_CORO ? "!" : ".");
    return 0;
}

/* A coroutine whose op has CG_PRIO_CORO runs before those that were woken earlier. */
static ssize_t favoured(void *arg)
{
    struct semaphore semaphore = {.free = 0};
    struct cg_op *ops[] = {acquire(&semaphore), acquire(&semaphore),
                           acquire(&semaphore, .prio = CG_PRIO_CORO)};
    struct cg_coro *coros[COUNT(ops)];

    (void)arg;
    for (size_t i = 0; i < COUNT(ops); i++) {
        coros[i] = test_start(notes_its_turn, ops[i]);
        test_until_waiting(coros[i]);
    }
    for (size_t i = 0; i < COUNT(ops); i++)
        release(&semaphore);
    for (size_t i = 0; i < COUNT(ops); i++)
        IS(test_end(coros[i]), 0);
    ck_assert_str_eq(trace, "!..");
    return 0;
}

/* A deadline that has passed ends an op before it begins, even if the op could complete at
 * once: its own deadline, that of a branch, and that of a race or call around it. */
static ssize_t never_called(void *arg)
{
    *(bool *)arg = true;
    return 0;
}

static ssize_t deadline_passed(void *arg)
{
    struct semaphore semaphore = {.free = 9};
    int64_t past = cg_sched_now(cg_sched_self());
    struct cg_op *late;
    struct cg_group group;
    bool called = false;

    (void)arg;
    IS(cg_yield(cg_sleep(MS)), 0);
    late = acquire(&semaphore, .deadline = past);
    IS(cg_yield(late), -ETIMEDOUT);
    ck_assert_int_eq(((struct acquire_op *)late)->finished, 1);
    IS(cg_yield(cg_any((late, acquire(&semaphore)))), 0);
    IS(cg_op_result(late), -ETIMEDOUT);
    IS(cg_yield(cg_all((acquire(&semaphore), cg_pass()), .deadline = past)), -ETIMEDOUT);
    IS(cg_yield(cg_call(never_called, &called, .deadline = past)), -ETIMEDOUT);
    ck_assert(!called);
    ck_assert_int_eq(semaphore.free, 9);
    OK(cg_yield(acquire(&semaphore, .deadline = cg_sched_now(cg_sched_self()))));
    cg_group_open(&group);
    IS(cg_yield(cg_add_to_group(&group, uses_device, cg_sleep(CG_HOUR))), 0);
    IS(cg_yield(cg_wait_group(&group, .deadline = past)), -ETIMEDOUT);
    ck_assert_uint_eq(cg_group_count(&group), 0);
    return 0;
}

static const struct test_case cases[] = {
    CORO(bytes_are_counted, .where = ON_SIM),
    CORO(favoured, .where = ON_SIM),
    CORO(deadline_passed, .where = ON_SIM),
    CORO(one_at_a_time, .where = ON_SIM),
    CORO(keywords, .where = ON_SIM),
    CORO(prints_and_lists, .where = ON_SIM),
    PLAIN(default_timeout, .where = ON_SIM),
    CORO(completes_at_once, .where = ON_SIM),
    CORO(slow_cancel, .where = ON_SIM),
    CORO(slow_loser, .where = ON_SIM),
    CORO(expires_by_itself, .where = ON_SIM),
    CORO(weak_timeout, .where = ON_SIM),
    CORO(compound, .where = ON_SIM),
};

int main(void)
{
    return test_main("user-op", cases, COUNT(cases));
}
