/* SPDX-License-Identifier: MIT */
/* Waits that never end: of each primitive, a planted one is named in one line with its cause, and
 * nothing is said while there may be an end. */
#include "config.h"

#include "lib/insight/backtrace.h"
#include "tests/support/child.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char said[64 * 1024];

static cg_fn *planted;

/* Not by exit, which would have a sanitizer report the queues that are left. */
static void act(void)
{
    cg_main(test_on_sim() ? "sim" : test_reactor(), planted, NULL);
    _exit(0);
}

/* What is said of a program, with the debug mode or without. */
static void run(cg_fn *fn, const char *debug)
{
    planted = fn;
    setenv("COGEN_DEBUG", debug, 1);
    IS(child_run(act, said, sizeof said), 0);
}

/* A line begins with `start`; returns what follows up to its end. */
static const char *rest(const char *start)
{
    static char line[4096];
    const char *at = strstr(said, start);

    ck_assert_msg(at && (at == said || at[-1] == '\n'), "no \"%s\" in:\n%s", start, said);
    at += strlen(start);
    snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
    return line;
}

static void line_has(const char *start, const char *part)
{
    ck_assert_msg(strstr(rest(start), part) != NULL, "no \"%s\" in:\n%s", part, said);
}

static void line_ends(const char *start, const char *end)
{
    const char *line = rest(start);
    size_t len = strlen(line);

    ck_assert_msg(len >= strlen(end) && strcmp(line + len - strlen(end), end) == 0,
                  "no \"%s\" at the end of a line in:\n%s", end, said);
}

static void says_not(const char *part)
{
    ck_assert_msg(strstr(said, part) == NULL, "\"%s\" in:\n%s", part, said);
}

static void start(cg_fn *fn, void *arg, const char *name)
{
    OK(cg_yield(cg_add(fn, arg, .name = name)));
}

/* Queues */

static ssize_t puts_two(void *queue)
{
    ssize_t rc = 0;

    for (intptr_t i = 1; i <= 2 && rc == 0; i++)
        rc = cg_yield(cg_put((struct cg_queue *)queue, i));
    return rc;
}

static ssize_t gets_all(void *queue)
{
    intptr_t item;

    while (cg_yield(cg_get((struct cg_queue *)queue, &item)) == 0)
        cg_queue_task_done((struct cg_queue *)queue);
    return 0;
}

static ssize_t gets_one(void *queue)
{
    intptr_t item;

    return cg_yield(cg_get((struct cg_queue *)queue, &item));
}

/* A producer that ends without closing the queue leaves its consumer behind. */
static ssize_t forgets_to_close(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.name = "jobs");

    (void)arg;
    start(gets_all, queue, "consumer");
    start(puts_two, queue, "producer");
    return 0;
}

static void names_producers(void)
{
    static const char who[] = "stuck: #2 consumer: get jobs, 0, since ";

    run(forgets_to_close, "1");
    line_has(who, " s, the queue was not closed; the last item was put by #3 producer at ");
    line_ends(who, ", which has ended");
    run(forgets_to_close, "0");
    line_ends(who, " s, the queue was not closed");
}

/* A consumer that ends too early leaves its producers behind. */
static ssize_t leaves_the_rest(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.name = "jobs", .limit = 1);

    (void)arg;
    start(puts_two, queue, "one");
    start(puts_two, queue, "other");
    start(gets_one, queue, "consumer");
    return 0;
}

static void names_consumers(void)
{
    static const char who[] = "stuck: #3 other: put jobs, 1/1, since ";

    run(leaves_the_rest, "1");
    line_has(who, " s, the last item was taken by #4 consumer at ");
    line_ends(who, ", which has ended");
    run(leaves_the_rest, "0");
    says_not("stuck: ");
}

static ssize_t waits_for_the_work(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.name = "jobs");

    (void)arg;
    start(puts_two, queue, "producer");
    start(gets_one, queue, "careless");
    return cg_yield(cg_join_queue(queue));
}

static void names_unfinished_items(void)
{
    static const char who[] = "stuck: #1 main: join_queue jobs, 1, since ";

    run(waits_for_the_work, "1");
    line_has(who, " s, cg_queue_task_done was not called for 2 items; "
                  "the last item was taken by #3 careless at ");
    line_ends(who, ", which has ended");
    run(waits_for_the_work, "0");
    line_ends(who, " s, cg_queue_task_done was not called for 2 items");
}

/* The branch of a race ends with it; its coroutine goes on. */
static ssize_t puts_in_a_race(void *queue)
{
    OK(cg_yield(cg_any((cg_call(puts_two, queue), cg_sleep(CG_HOUR)))));
    return cg_yield(cg_wait_signal("never", NULL));
}

static ssize_t races(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.name = "jobs");

    (void)arg;
    start(gets_all, queue, "consumer");
    start(puts_in_a_race, queue, "producer");
    return 0;
}

static void knows_who_goes_on(void)
{
    run(races, "1");
    line_has("stuck: #2 consumer: get jobs, 0, since ",
             "; the last item was put by #3 producer at ");
    says_not("has ended\n");
}

/* Semaphores */

static struct cg_semaphore places = {.name = "places", .units = 2};

static ssize_t takes_five(void *arg)
{
    (void)arg;
    return cg_yield(cg_acquire(&places, .units = 5));
}

static ssize_t takes_one(void *arg)
{
    (void)arg;
    return cg_yield(cg_acquire(&places));
}

static ssize_t wants_too_much(void *arg)
{
    start(takes_five, arg, "large");
    start(takes_one, arg, "small");
    return 0;
}

static void names_who_stands_before(void)
{
    run(wants_too_much, "0");
    line_ends("stuck: #2 large: acquire places, 5, since ", " s, the semaphore has 2 units");
    line_ends("stuck: #3 small: acquire places, 1, since ",
              " s, the semaphore has 2 units, and #2 large waits first, for 5");
}

/* Joins and tasks */

static struct cg_coro *coros[2];
static struct cg_future *tasks[2];

static ssize_t joins(void *number)
{
    return cg_yield(cg_join(coros[(intptr_t)number]));
}

static ssize_t join_each_other(void *arg)
{
    (void)arg;
    OK(cg_yield(cg_add(joins, (void *)1, .name = "one", .coro = &coros[0], .prio = CG_PRIO_CORO)));
    return cg_yield(cg_add(joins, (void *)0, .name = "other", .coro = &coros[1]));
}

static ssize_t awaits_task(void *number)
{
    return cg_yield(cg_await(tasks[(intptr_t)number]));
}

static ssize_t await_each_other(void *arg)
{
    (void)arg;
    tasks[0] = cg_task_new(cg_sched_self(), awaits_task, (void *)1, .name = "one");
    tasks[1] = cg_task_new(cg_sched_self(), awaits_task, (void *)0, .name = "other");
    return 0;
}

static void names_cycles(void)
{
    run(join_each_other, "0");
    line_has("cycle: #", ": join ");
    line_has("cycle: #", " -> #3 other: join ");
    run(await_each_other, "0");
    line_has("cycle: #2 one: await ", " s -> #3 other: await ");
}

/* Futures and channels: only a reference allows to complete, to send or to receive. */

static ssize_t awaits(void *future)
{
    return cg_yield(cg_await((struct cg_future *)future));
}

static void dump(void)
{
    OK(cg_sched_dump(cg_sched_self(), stderr));
}

static ssize_t drops_the_future(void *arg)
{
    struct cg_future *future = cg_future_new(cg_sched_self());

    (void)arg;
    start(awaits, future, "one");
    start(awaits, future, "other");
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    dump();
    fprintf(stderr, "--\n");
    cg_future_unref(future);
    return 0;
}

/* Takes away what was said before the reference was dropped, and looks at it. */
static void then(void)
{
    char *at = strstr(said, "--\n");

    ck_assert_ptr_nonnull(at);
    *at = '\0';
    says_not("lost wake-up");
    memmove(said, at + 3, strlen(at + 3) + 1);
}

static void names_dropped_futures(void)
{
    run(drops_the_future, "0");
    then();
    line_ends("lost wake-up? #2 one: await future, since ",
              " s, but nobody else has a reference to the future");
    line_ends("lost wake-up? #3 other: await future, since ",
              " s, but nobody else has a reference to the future");
}

static ssize_t receives(void *channel)
{
    intptr_t item;

    return cg_yield(cg_receive((struct cg_channel *)channel, &item));
}

static ssize_t sends(void *channel)
{
    return cg_yield(cg_send((struct cg_channel *)channel, (intptr_t)1));
}

/* A wait at a channel holds the run open, so that only a dump can tell. */
static ssize_t drops_the_channels(void *arg)
{
    struct cg_channel *empty = cg_channel_new(.name = "empty");
    struct cg_channel *full = cg_channel_new(.name = "full", .limit = 1);

    (void)arg;
    OK(cg_channel_try_send(full, (void *)1));
    start(receives, empty, "receiver");
    start(receives, empty, "another");
    start(sends, full, "sender");
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    dump();
    fprintf(stderr, "--\n");
    cg_channel_unref(empty);
    cg_channel_unref(full);
    dump();
    _exit(0);
}

static void names_dropped_channels(void)
{
    run(drops_the_channels, "0");
    then();
    line_ends("lost wake-up? #2 receiver: receive empty, 0/1024, since ",
              " s, but nobody else has a reference to the channel");
    line_ends("lost wake-up? #3 another: receive empty, 0/1024, since ",
              " s, but nobody else has a reference to the channel");
    line_ends("lost wake-up? #4 sender: send full, 1/1, since ",
              " s, but nobody else has a reference to the channel");
}

/* A program whose coroutines wait as they should: what is idle is not stuck. */
static ssize_t is_idle(void *arg)
{
    struct cg_queue *queue = cg_queue_new(.name = "jobs", .limit = 1);

    (void)arg;
    start(puts_two, queue, "producer");
    start(gets_all, queue, "consumer");
    OK(cg_yield(cg_join_queue(queue)));
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    dump();
    cg_queue_free(queue);
    return 0;
}

static void says_nothing_of_idle_ones(void)
{
    run(is_idle, "1");
    line_has("  consumer: get jobs, 0/1, since ", " s [#3, ");
    says_not("stuck: ");
    says_not("lost wake-up");
    says_not("cogen: "); /* what is noted of queues is not told as left */
}

static const struct test_case cases[] = {
    PLAIN(names_producers),       PLAIN(names_consumers),        PLAIN(names_unfinished_items),
    PLAIN(knows_who_goes_on),     PLAIN(names_who_stands_before), PLAIN(names_cycles),
    PLAIN(names_dropped_futures), PLAIN(names_dropped_channels), PLAIN(says_nothing_of_idle_ones),
};

int main(void)
{
    return test_main("stuck", cases, COUNT(cases));
}
