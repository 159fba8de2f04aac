/* SPDX-License-Identifier: MIT */
/* Futures, tasks and handles: who gets a result, when, and what can be cancelled. */
#include "tests/support/support.h"

#include <errno.h>
#include <string.h>

#define MS CG_MILLISECOND

static struct cg_future *make(void)
{
    struct cg_future *future = cg_future_new(cg_sched_self());

    ck_assert_ptr_nonnull(future);
    return future;
}

static ssize_t waits(void *arg)
{
    return cg_yield(cg_await(arg));
}

static ssize_t says_ten(void *arg)
{
    (void)arg;
    return cg_yield(cg_sleep(MS)) < 0 ? -ECANCELED : 10;
}

/* All coroutines that await a future get its result, in the order of their waits, and so
 * do those that await it later. There is only one result. */
static ssize_t everybody_is_told(void *arg)
{
    struct cg_future *future = make();
    struct cg_coro *coros[5];

    (void)arg;
    for (size_t i = 0; i < COUNT(coros); i++) {
        coros[i] = test_start(waits, future);
        test_until_waiting(coros[i]);
    }
    ck_assert(!cg_future_done(future));
    IS(cg_future_result(future), -EBUSY);
    IS(cg_future_set_result(future, -1), -EINVAL);
    IS(cg_future_set_error(future, 1), -EINVAL);
    IS(cg_future_set_result(future, 42), 0);
    for (size_t i = 0; i < COUNT(coros); i++)
        IS(test_end(coros[i]), 42);
    IS(cg_yield(cg_await(future)), 42);
    IS(cg_future_set_result(future, 43), -EALREADY);
    IS(cg_future_set_error(future, -EIO), -EALREADY);
    IS(cg_future_set_value(future, future), -EALREADY);
    IS(cg_future_cancel(future), -EALREADY);
    IS(cg_future_result(future), 42);
    ck_assert(cg_future_done(future) && !cg_future_cancelled(future));
    cg_future_unref(future);
    cg_future_unref(NULL);
    IS(cg_yield(cg_await(NULL)), -EINVAL);
    return 0;
}

/* An error, a cancel and a word of any kind are results as well. */
static ssize_t results_of_every_kind(void *arg)
{
    struct cg_future *failed = make(), *cancelled = make(), *word = make();
    struct cg_coro *one = test_start(waits, failed),
                   *two = test_start(waits, cancelled);

    (void)arg;
    test_until_waiting(one);
    test_until_waiting(two);
    IS(cg_future_set_error(failed, -EIO), 0);
    IS(cg_future_cancel(cancelled), 0);
    IS(test_end(one), -EIO);
    IS(test_end(two), -ECANCELED);
    ck_assert(!cg_future_cancelled(failed) && cg_future_cancelled(cancelled));
    ck_assert_ptr_null(cg_future_value(word));
    IS(cg_future_set_value(word, "spam"), 0);
    IS(cg_yield(cg_await(word)), 0);
    ck_assert_str_eq(cg_future_value(word), "spam");
    cg_future_unref(failed);
    cg_future_unref(cancelled);
    cg_future_unref(word);
    return 0;
}

/* An await that is cancelled or times out, anywhere in the line, does not affect the
 * future or the others. */
static ssize_t giving_up_leaves_no_trace(void *arg)
{
    struct cg_future *future = make();
    struct cg_coro *coros[3];

    (void)arg;
    IS(cg_yield(cg_await(future, .timeout = MS)), -ETIMEDOUT);
    IS(cg_yield(cg_await(future, .timeout = CG_NOWAIT)), -ETIMEDOUT);
    for (size_t gone = 0; gone < COUNT(coros); gone++) {
        struct cg_future *each = make();

        for (size_t i = 0; i < COUNT(coros); i++) {
            coros[i] = test_start(waits, each);
            test_until_waiting(coros[i]);
        }
        IS(cg_yield(cg_cancel(coros[gone])), 0);
        IS(cg_yield(cg_any((cg_await(each), cg_sleep(1)))), 1);
        ck_assert(!cg_future_done(each));
        IS(cg_future_set_result(each, 3), 0);
        for (size_t i = 0; i < COUNT(coros); i++)
            IS(test_end(coros[i]), i == gone ? -ECANCELED : 3);
        cg_future_unref(each);
    }
    IS(cg_future_set_result(future, 1), 0);
    IS(cg_yield(cg_await(future, .timeout = CG_NOWAIT)), 1);
    cg_future_unref(future);
    return 0;
}

static ssize_t completes(void *arg)
{
    struct cg_future *future = arg;

    IS(cg_future_set_result(future, 6), 0);
    cg_future_unref(future); /* the last reference of the program */
    return 0;
}

static ssize_t waits_for_both(void *arg)
{
    return cg_yield(cg_await_all(arg, 2));
}

/* A future that is awaited, also one of several, is not freed before all have its result. */
static ssize_t the_awaited_stay(void *arg)
{
    struct cg_future *future = make(), *both[] = {make(), make()};
    struct cg_coro *waiter = test_start(waits_for_both, both), *other;

    test_until_waiting(waiter);
    for (int i = 1; i >= 0; i--)
        IS(test_end(test_start(completes, both[i])), 0);
    IS(test_end(waiter), 0);
    waiter = test_start(waits, future);

    (void)arg;
    test_until_waiting(waiter);
    other = test_start(completes, future);
    IS(test_end(waiter), 6);
    return test_end(other);
}

static char trace[64];

static void note(struct cg_future *future, void *arg)
{
    ck_assert(cg_future_done(future));
    ck_assert_ptr_null(cg_coro_self());
    strcat(trace, arg);
}

static void note_and_add(struct cg_future *future, void *arg)
{
    note(future, arg);
    OK(cg_future_add_done(future, note, "+"));
}

static char removed[] = "b";

static void note_and_remove(struct cg_future *future, void *arg)
{
    note(future, arg);
    IS((ssize_t)cg_future_remove_done(future, note, removed), 1);
}

/* Callbacks are called in the next turn, outside coroutines, each once and in order. So
 * are those that are added after the result; removed ones are not called. */
static ssize_t callbacks_are_called(void *arg)
{
    static char a[] = "a", b[] = "b", c[] = "c";
    struct cg_future *future = make();

    (void)arg;
    trace[0] = '\0';
    OK(cg_future_add_done(future, note, a));
    OK(cg_future_add_done(future, note, b));
    OK(cg_future_add_done(future, note, c));
    OK(cg_future_add_done(future, note, b));
    IS((ssize_t)cg_future_remove_done(future, note, b), 2);
    IS((ssize_t)cg_future_remove_done(future, note, b), 0);
    OK(cg_future_add_done(future, note_and_add, b));
    IS(cg_future_set_result(future, 1), 0);
    ck_assert_str_eq(trace, ""); /* not called from cg_future_complete */
    OK(cg_yield(cg_sleep(MS)));  /* may end in the turn of the callbacks */
    OK(cg_yield(cg_sleep(MS)));
    ck_assert_str_eq(trace, "acb+");
    OK(cg_future_add_done(future, note, a));
    OK(cg_future_add_done(future, note, c));
    ck_assert_str_eq(trace, "acb+");
    IS((ssize_t)cg_future_remove_done(future, note, c), 1);
    cg_future_unref(future); /* not freed yet: its callbacks are still to be called */
    OK(cg_yield(cg_sleep(MS)));
    ck_assert_str_eq(trace, "acb+a");

    future = make(); /* a future that is never done calls nothing */
    OK(cg_future_add_done(future, note, a));
    cg_future_unref(future);
    return 0;
}

/* A callback may remove the next one. */
static ssize_t callbacks_that_remove(void *arg)
{
    static char a[] = "a", c[] = "c";
    struct cg_future *future = make();

    (void)arg;
    trace[0] = '\0';
    OK(cg_future_add_done(future, note_and_remove, a));
    OK(cg_future_add_done(future, note, removed));
    OK(cg_future_add_done(future, note, c));
    IS(cg_future_cancel(future), 0);
    cg_future_unref(future);
    OK(cg_yield(cg_sleep(MS)));
    ck_assert_str_eq(trace, "ac");
    return 0;
}

static struct cg_future *task(cg_fn *fn, void *arg)
{
    struct cg_future *future = cg_task_new(cg_sched_self(), fn, arg, .name = "task");

    ck_assert_ptr_nonnull(future);
    return future;
}

/* A task is the future of a coroutine's result; nothing else can complete it. */
static ssize_t a_task_has_its_coroutines_result(void *arg)
{
    struct cg_future *ten = task(says_ten, NULL), *nobodys = task(says_ten, NULL);
    struct cg_coro *coro, *waiter = test_start(waits, ten);
    struct cg_future *with =
        cg_task_new(cg_sched_self(), says_ten, NULL, .coro = &coro);
    char text[64];

    (void)arg;
    cg_future_unref(nobodys); /* the coroutine runs nevertheless */
    IS(cg_future_set_result(ten, 1), -EINVAL);
    IS(cg_future_set_error(ten, -EIO), -EINVAL);
    test_until_waiting(waiter);
    cg_op_print(cg_coro_op(waiter), text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "await task"));
    IS(cg_yield(cg_await(ten)), 10);
    IS(test_end(waiter), 10);
    IS(cg_yield(cg_join(coro)), 10);
    IS(cg_future_result(with), 10);
    cg_coro_unref(coro);
    cg_future_unref(ten);
    cg_future_unref(with);
    ck_assert_ptr_null(cg_task_new(cg_sched_self(), NULL, NULL));
    ck_assert_ptr_null(
        cg_task_new(cg_sched_self(), says_ten, NULL, .stack_size = (size_t)1 << 46));
    return 0;
}

static ssize_t stubborn(void *arg)
{
    (void)arg;
    IS(cg_yield(cg_sleep(CG_HOUR)), -ECANCELED);
    IS(cg_yield(cg_sleep(MS, .shield = true)), 0);
    return 5;
}

/* Cancelling a task cancels its coroutine. The task's result is what the coroutine then
 * returns. */
static ssize_t a_task_is_cancelled(void *arg)
{
    struct cg_future *one = task(says_ten, NULL), *two = task(stubborn, NULL);

    (void)arg;
    OK(cg_yield(cg_pass()));
    IS(cg_future_cancel(one), 0);
    IS(cg_future_cancel(two), 0);
    ck_assert(!cg_future_done(two));
    IS(cg_yield(cg_await(one)), -ECANCELED);
    ck_assert(cg_future_cancelled(one));
    IS(cg_yield(cg_await(two)), 5);
    ck_assert(!cg_future_cancelled(two));
    IS(cg_future_cancel(two), -EALREADY);
    cg_future_unref(one);
    cg_future_unref(two);
    return 0;
}

static struct cg_future *my_task;

static ssize_t awaits_itself(void *arg)
{
    (void)arg;
    OK(cg_yield(cg_pass()));
    return cg_yield(cg_await(my_task));
}

static ssize_t a_task_cannot_await_itself(void *arg)
{
    (void)arg;
    my_task = task(awaits_itself, NULL);
    IS(cg_yield(cg_await(my_task)), -EDEADLK);
    cg_future_unref(my_task);
    return 0;
}

static ssize_t naps(void *arg)
{
    intptr_t n = (intptr_t)arg;

    return cg_yield(cg_sleep(n * MS)) < 0 ? -ECANCELED : n;
}

/* As with asyncio.wait, a program can wait for all tasks of a set, or for the first; the
 * others continue. */
static ssize_t sets_of_tasks(void *arg)
{
    struct cg_future *tasks[4];

    (void)arg;
    for (intptr_t i = 0; i < 4; i++)
        tasks[i] = task(naps, (void *)(20 - 5 * i));
    IS(cg_yield(cg_await_any(tasks, 4)), 3);
    IS(cg_future_result(tasks[3]), 5);
    ck_assert(!cg_future_done(tasks[0]));
    IS(cg_yield(cg_await_any(tasks, 3, .timeout = 1)), -ETIMEDOUT);
    IS(cg_yield(cg_await_all(tasks, 4, .timeout = 1)), -ETIMEDOUT);
    IS(cg_future_cancel(tasks[1]), 0);
    IS(cg_yield(cg_await_all(tasks, 4)), 0);
    for (intptr_t i = 0; i < 4; i++) {
        IS(cg_future_result(tasks[i]), i == 1 ? -ECANCELED : 20 - 5 * i);
        IS(cg_yield(cg_await_any(tasks, 4)), 0);
    }
    IS(cg_yield(cg_await_any(tasks, 0)), -EINVAL);
    IS(cg_yield(cg_await_all(tasks, 0)), 0);
    for (int i = 0; i < 4; i++)
        cg_future_unref(tasks[i]);
    return 0;
}

static void mark(void *arg)
{
    ck_assert_ptr_null(cg_coro_self());
    strcat(trace, arg);
}

/* Calls are made in the order of their moments, never early; those of one moment in the
 * order in which they were requested. */
static ssize_t calls_are_made_in_order(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    int64_t now = cg_sched_now(sched);

    (void)arg;
    trace[0] = '\0';
    OK(cg_sched_call_later(sched, 20 * MS, mark, "6", NULL));
    OK(cg_sched_call_at(sched, now + 10 * MS, mark, "4", NULL));
    OK(cg_sched_call_at(sched, now + 10 * MS, mark, "5", NULL));
    OK(cg_sched_call_soon(sched, mark, "1", NULL));
    OK(cg_sched_call_at(sched, now - MS, mark, "2", NULL));
    OK(cg_sched_call_later(sched, -MS, mark, "3", NULL));
    ck_assert_str_eq(trace, "");
    OK(cg_yield(cg_sleep_until(now + 10 * MS - 1)));
    ck_assert(!strncmp(trace, "123", 3));
    if (test_on_sim())
        ck_assert_str_eq(trace, "123");
    OK(cg_yield(cg_sleep_until(now + 10 * MS)));
    OK(cg_yield(cg_pass()));
    if (test_on_sim())
        ck_assert_str_eq(trace, "12345");
    OK(cg_yield(cg_sleep_until(now + 25 * MS)));
    OK(cg_yield(cg_pass()));
    ck_assert_str_eq(trace, "123456");
    return 0;
}

static struct cg_handle *second;

static void cancels_the_second(void *arg)
{
    mark(arg);
    IS(cg_handle_cancel(second), 0);
}

/* A call can be cancelled before its moment, while it is in the queue, and by the call
 * before it; then it is not made. */
static ssize_t calls_are_taken_back(void *arg)
{
    struct cg_sched *sched = cg_sched_self();
    int64_t moment = cg_sched_now(sched) + CG_HOUR;
    struct cg_handle *later, *soon, *made;

    (void)arg;
    trace[0] = '\0';
    OK(cg_sched_call_at(sched, moment, mark, "x", &later));
    OK(cg_sched_call_soon(sched, mark, "y", &soon));
    ck_assert_int_eq(cg_handle_when(later), moment);
    ck_assert(!cg_handle_cancelled(later));
    IS(cg_handle_cancel(later), 0);
    IS(cg_handle_cancel(soon), 0);
    IS(cg_handle_cancel(soon), -EALREADY);
    ck_assert(cg_handle_cancelled(later) && cg_handle_cancelled(soon));
    cg_handle_unref(soon); /* released while it is in the queue */
    OK(cg_sched_call_soon(sched, cancels_the_second, "a", &made));
    OK(cg_sched_call_soon(sched, mark, "z", &second));
    OK(cg_yield(cg_sleep(MS)));
    ck_assert_str_eq(trace, "a");
    IS(cg_handle_cancel(made), -EALREADY);
    IS(cg_handle_cancel(later), -EALREADY);
    ck_assert(!cg_handle_cancelled(made));
    cg_handle_unref(later);
    cg_handle_unref(made);
    cg_handle_unref(second);
    cg_handle_unref(NULL);
    return 0;
}

struct again {
    struct cg_sched *sched;
    int n;
};

static void call_again(void *arg)
{
    struct again *again = arg;

    if (++again->n < 100)
        OK(cg_sched_call_soon(again->sched, call_again, again, NULL));
}

/* A call that requests itself again lets other calls and coroutines run in between. */
static ssize_t calls_do_not_starve(void *arg)
{
    struct again again = {.sched = cg_sched_self()};
    int turns = 0;

    (void)arg;
    OK(cg_sched_call_soon(again.sched, call_again, &again, NULL));
    for (; again.n < 100; turns++)
        OK(cg_yield(cg_pass()));
    ck_assert_int_ge(turns, 10);
    return 0;
}

static void complete_with_seven(void *arg)
{
    IS(cg_future_set_result(arg, 7), 0);
}

/* Calls hold the run open, futures do not. A run until a future is done ends when it
 * is. */
static void until_complete(void)
{
    struct test test = test_open(.timeout = 0);
    struct cg_future *future = cg_future_new(test.sched),
                     *never = cg_future_new(test.sched);
    struct cg_future *ten = cg_task_new(test.sched, says_ten, NULL);
    struct cg_handle *handle;

    trace[0] = '\0';
    IS(cg_sched_run_until(test.sched, ten), 10);
    IS(cg_sched_run_until(test.sched, ten), 10);
    OK(cg_sched_call_later(test.sched, MS, complete_with_seven, future, NULL));
    OK(cg_sched_call_later(test.sched, CG_HOUR, mark, "never", &handle));
    IS(cg_sched_run_until(test.sched, future), 7);
    IS(cg_handle_cancel(handle), 0);
    OK(cg_sched_call_later(test.sched, MS, mark, "made", NULL));
    IS(cg_sched_run_until(test.sched, never), -EDEADLK);
    ck_assert_str_eq(trace, "made");
    cg_handle_unref(handle);
    cg_future_unref(future);
    cg_future_unref(never);
    cg_future_unref(ten);
    test_close(&test);
}

static void asks_again(void *arg)
{
    struct again *again = arg;

    again->n++;
    OK(cg_sched_call_soon(again->sched, asks_again, again, NULL));
}

static void asks_again_when_done(struct cg_future *future, void *arg)
{
    struct again *again = arg;

    again->n++;
    OK(cg_future_add_done(future, asks_again_when_done, again));
}

/* Calls that are left when a scheduler is freed are not made, and not leaked. */
static void what_is_left_is_dropped(void)
{
    struct test test = test_open(.timeout = 0);
    struct again again = {test.sched, 0};
    struct cg_future *future = cg_future_new(test.sched);
    struct cg_handle *handle;

    trace[0] = '\0';
    OK(cg_sched_call_later(test.sched, CG_HOUR, mark, "x", NULL));
    OK(cg_sched_call_later(test.sched, CG_HOUR, mark, "y", &handle));
    OK(cg_sched_call_soon(test.sched, asks_again, &again, NULL));
    OK(cg_future_add_done(future, asks_again_when_done, &again));
    IS(cg_future_set_result(future, 0), 0);
    cg_future_unref(future);
    test_close(&test);
    ck_assert_str_eq(trace, "");
    ck_assert_int_ge(again.n, 2);
    ck_assert(cg_handle_cancelled(handle));
    IS(cg_handle_cancel(handle), -EALREADY);
    cg_handle_unref(handle);
}

static const struct test_case cases[] = {
    CORO(everybody_is_told),
    CORO(results_of_every_kind),
    CORO(giving_up_leaves_no_trace),
    CORO(the_awaited_stay),
    CORO(callbacks_are_called),
    CORO(callbacks_that_remove),
    CORO(a_task_has_its_coroutines_result),
    CORO(a_task_is_cancelled),
    CORO(a_task_cannot_await_itself),
    CORO(sets_of_tasks, .where = ON_SIM),
    CORO(calls_are_made_in_order),
    CORO(calls_are_taken_back),
    CORO(calls_do_not_starve),
    PLAIN(until_complete),
    PLAIN(what_is_left_is_dropped),
};

int main(void)
{
    return test_main("future", cases, COUNT(cases));
}
