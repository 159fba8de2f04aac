/* SPDX-License-Identifier: MIT */
/* Objects that are closed while operations use them (cg_object_close), with an operation
 * type that is made with the public header alone. */
#include "tests/support/support.h"

#include <errno.h>

#define MS CG_MILLISECOND

/* The object of these tests is a box: an operation that takes from it waits until
 * something is put in. */

struct take_op;

struct box {
    struct cg_object object;
    struct take_op *first;
    int items;
    int withdrawn; /* how often the withdraw slot was called */
    bool freed;    /* a compound op has freed it after the close */
};

struct take_op {
    CG_OP_HEAD;
    struct box *box;
    struct take_op *next;
};

static struct box *box_of(struct cg_op *op)
{
    return ((struct take_op *)op)->box;
}

static enum cg_verdict take_process(struct cg_op *op, struct cg_sched *sched)
{
    struct box *box = box_of(op);

    (void)sched;
    op->uses = &box->object;
    if (box->items > 0) {
        op->result = --box->items;
        return CG_DONE;
    }
    ((struct take_op *)op)->next = box->first;
    box->first = (struct take_op *)op;
    return CG_PENDING;
}

static enum cg_verdict take_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct take_op **at = &box_of(op)->first;

    (void)sched;
    while (&(*at)->op != op)
        at = &(*at)->next;
    *at = (*at)->next;
    return CG_DONE;
}

static void take_withdraw(struct cg_op *op)
{
    box_of(op)->withdrawn++;
}

static const struct cg_op_type take_type = {.name = "take",
                                            .process = take_process,
                                            .cancel = take_cancel,
                                            .withdraw = take_withdraw};

#define take(...) take_(__VA_ARGS__, )
#define take_(b, ...) CG_OP(take, .box = (b), __VA_ARGS__)

/* Answers all who wait. */
static void answer(struct box *box, ssize_t result)
{
    struct take_op *each;

    while ((each = box->first)) {
        box->first = each->next;
        cg_op_complete(&each->op, result);
    }
}

static bool close_box(struct box *box)
{
    answer(box, -EBADF);
    return cg_object_close(&box->object);
}

static ssize_t yields(void *op)
{
    return cg_yield(op);
}

/* Ops complete, and the object is closed before their coroutines run: each has the result
 * -EBADF, and its success is withdrawn. An op whose coroutine has already run is not
 * affected. */
static ssize_t completed_and_closed(void *arg)
{
    struct box box = {.items = 1};
    struct cg_op *ops[] = {take(&box), take(&box), take(&box)};
    struct cg_coro *coros[3];

    (void)arg;
    IS(cg_yield(take(&box)), 0);
    for (size_t i = 0; i < COUNT(ops); i++) {
        coros[i] = test_start(yields, ops[i]);
        test_until_waiting(coros[i]);
    }
    take_cancel(ops[1], NULL);
    cg_op_complete(ops[1], 7);
    IS(test_end(coros[1]), 7);
    answer(&box, 8);
    ck_assert(close_box(&box));
    IS(test_end(coros[0]), -EBADF);
    IS(test_end(coros[2]), -EBADF);
    ck_assert_int_eq(box.withdrawn, 2);
    return 0;
}

/* An op that completed with an error has the result -EBADF, too, but nothing is
 * withdrawn. */
static ssize_t failed_and_closed(void *arg)
{
    struct box box = {.items = 0};
    struct cg_coro *coro = test_start(yields, take(&box));

    (void)arg;
    test_until_waiting(coro);
    answer(&box, -EIO);
    close_box(&box);
    IS(test_end(coro), -EBADF);
    ck_assert_int_eq(box.withdrawn, 0);
    return 0;
}

/* An op that has timed out, whose coroutine has not run, has the result -EBADF, too. */
static ssize_t timed_out_and_closed(void *arg)
{
    struct box box = {.items = 0};
    struct cg_coro *coro =
        test_start(yields, take(&box, .deadline = cg_sched_now(cg_sched_self()) + MS));

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(
           cg_sleep_until(cg_sched_now(cg_sched_self()) + MS, .prio = CG_PRIO_CORO)),
       0);
    if (cg_coro_state(coro) == CG_CORO_WAITING) /* our timer fired first */
        close_box(&box);
    else
        cg_object_close(&box.object);
    IS(test_end(coro), -EBADF);
    return 0;
}

/* The op completes at once, but its coroutine has used up its budget, so others run
 * first. */
static ssize_t takes_all(void *arg)
{
    struct box *box = arg;
    ssize_t n;

    while ((n = cg_yield(take(box))) >= 0)
        continue;
    return n;
}

static ssize_t spent_and_closed(void *arg)
{
    struct box box = {.items = 1000};
    struct cg_coro *coro = test_start(takes_all, &box);

    (void)arg;
    IS(cg_yield(cg_pass()), 0);
    ck_assert_int_eq(cg_coro_state(coro), CG_CORO_READY);
    close_box(&box);
    IS(test_end(coro), -EBADF);
    ck_assert_int_eq(box.withdrawn, 1);
    return 0;
}

struct race {
    struct box *box;
    struct cg_op *branch, *other;
    ssize_t answer, result;
    bool all;
};

static ssize_t races(void *arg)
{
    struct race *race = arg;

    if (race->all)
        race->answer = cg_yield(cg_all((race->branch, race->other)));
    else
        race->answer = cg_yield(cg_any((race->branch, race->other)));
    race->result = cg_op_result(race->branch);
    return 0;
}

/* The winner of a race stays the winner, but its own result is -EBADF. */
static ssize_t won_and_closed(void *arg)
{
    struct box box = {.items = 0};
    struct race race = {.branch = take(&box), .other = cg_sleep(CG_HOUR)};
    struct cg_coro *coro = test_start(races, &race);

    (void)arg;
    test_until_waiting(coro);
    answer(&box, 3);
    close_box(&box);
    IS(test_end(coro), 0);
    IS(race.answer, 0);
    IS(race.result, -EBADF);
    return 0;
}

/* The loser of a race has the result -EBADF, too. */
static ssize_t lost_and_closed(void *arg)
{
    struct box box = {.items = 0}, other = {.items = 0};
    struct race race = {.branch = take(&box), .other = take(&other)};
    struct cg_coro *coro = test_start(races, &race);

    (void)arg;
    test_until_waiting(coro);
    answer(&other, 3);
    close_box(&box);
    IS(test_end(coro), 0);
    IS(race.answer, 1);
    IS(race.result, -EBADF);
    IS(cg_op_result(race.other), 3);
    return 0;
}

/* One branch of a cg_all has completed at once, long before the object is closed. */
static ssize_t had_and_closed(void *arg)
{
    struct box box = {.items = 1}, other = {.items = 0};
    struct race race = {.branch = take(&box), .other = take(&other), .all = true};
    struct cg_coro *coro = test_start(races, &race);

    (void)arg;
    test_until_waiting(coro);
    IS(cg_yield(cg_sleep(MS)), 0);
    IS(cg_op_result(race.branch), 0);
    close_box(&box);
    answer(&other, 4);
    IS(test_end(coro), 0);
    IS(race.answer, 0);
    IS(race.result, -EBADF);
    IS(cg_op_result(race.other), 4);
    return 0;
}

/* Until its coroutine has run, no other coroutine can yield a completed op. */
static ssize_t in_use_until_heard(void *arg)
{
    struct box box = {.items = 0};
    struct cg_op *op = take(&box);
    struct cg_coro *coro = test_start(yields, op);

    (void)arg;
    test_until_waiting(coro);
    answer(&box, 5);
    IS(cg_yield(op), -EBUSY);
    IS(cg_yield(cg_any((op, cg_sleep(MS)))), -EBUSY);
    IS(test_end(coro), 5);
    close_box(&box);
    ck_assert_int_eq(box.withdrawn, 0);
    return 0;
}

/* A compound op, which still runs for a while after the close. */

static enum cg_verdict nap_process(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    return cg_object_enter(&box_of(op)->object, op);
}

static ssize_t nap_run(struct cg_op *op)
{
    struct box *box = box_of(op);
    ssize_t n = cg_yield(cg_sleep(MS));

    if (cg_object_leave(&box->object, op) == 0)
        return n;
    box->freed = box->object.running == 0;
    return -EBADF;
}

static const struct cg_op_type nap_type = {.name = "nap", .process = nap_process, .run = nap_run};

#define nap(b) CG__OP_OF(take, nap, .box = (b))

/* The object is closed while compound ops run: the last of them frees it. Each completes
 * with -EBADF, also if it is cancelled or times out, and also one that had ended before
 * the close. */
static ssize_t closed_while_it_runs(void *arg)
{
    struct box box = {.items = 0};
    struct race race = {.branch = nap(&box), .other = cg_sleep(CG_HOUR)};
    struct race done = {.branch = nap(&box), .other = cg_sleep(CG_HOUR), .all = true};
    struct cg_coro *first = test_start(races, &done), *second, *third;

    (void)arg;
    IS(cg_yield(cg_sleep(10 * MS)), 0);
    IS(cg_op_result(done.branch), 0);
    second = test_start(yields, nap(&box));
    third = test_start(races, &race);
    test_until_waiting(second);
    test_until_waiting(third);
    cg_yield(cg_pass());
    ck_assert(!close_box(&box));
    IS(cg_coro_cancel(second), 0);
    ck_assert(!box.freed);
    IS(test_end(second), -EBADF);
    IS(test_end(third), 0);
    IS(race.result, -EBADF);
    ck_assert(box.freed);
    IS(cg_coro_cancel(first), 0);
    IS(test_end(first), 0);
    IS(done.result, -EBADF);
    return 0;
}

static const struct test_case cases[] = {
    CORO(completed_and_closed, .where = ON_SIM),
    CORO(failed_and_closed, .where = ON_SIM),
    CORO(timed_out_and_closed, .where = ON_SIM),
    CORO(spent_and_closed, .where = ON_SIM),
    CORO(won_and_closed, .where = ON_SIM),
    CORO(lost_and_closed, .where = ON_SIM),
    CORO(had_and_closed, .where = ON_SIM),
    CORO(in_use_until_heard, .where = ON_SIM),
    CORO(closed_while_it_runs, .where = ON_SIM),
};

int main(void)
{
    return test_main("object", cases, COUNT(cases));
}
