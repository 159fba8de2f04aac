/* SPDX-License-Identifier: MIT */
/* Measures the core without I/O: prints "name value unit", the median of nine rounds for
 * each figure. Patterns select some of the figures.
 *     bench/core [--reactor NAME] [PATTERN...] */
#include "config.h"

#include "bench/core.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 9 };

static const char *reactor_name;

double clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1e9 + ts.tv_nsec;
}

void *memory(size_t count, size_t size)
{
    void *mem = calloc(count, size);

    if (mem == NULL) {
        fprintf(stderr, "core: no memory\n");
        exit(1);
    }
    return mem;
}

double run(cg_fn *fn, void *arg)
{
    struct cg_reactor *reactor;
    struct cg_sched *sched;
    int rc = cg_reactor_open(reactor_name, &reactor);
    double start;

    if (rc < 0 || (sched = cg_sched_new(reactor)) == NULL) {
        fprintf(stderr, "core: %s: %s\n", reactor_name ? reactor_name : "reactor",
                cg_strerror(rc));
        exit(1);
    }
    cg_sched_start(sched, fn, arg);
    start = clock_ns();
    cg_sched_run(sched);
    start = clock_ns() - start;
    cg_sched_free(sched);
    cg_reactor_close(reactor);
    return start;
}

static ssize_t nothing(void *arg)
{
    (void)arg;
    return 0;
}

static ssize_t spawner(void *arg)
{
    for (long n = *(long *)arg; n > 0; n--)
        cg_yield(cg_add(nothing, NULL));
    return 0;
}

static double spawn_and_finish(long n)
{
    return run(spawner, &n) / n;
}

static ssize_t passer(void *arg)
{
    for (long n = *(long *)arg; n > 0; n--)
        cg_yield(cg_pass());
    return 0;
}

static long passes = 200;

static ssize_t crowd(void *arg)
{
    for (long n = *(long *)arg; n > 0; n--)
        cg_yield(cg_add(passer, &passes, .prio = CG_PRIO_CORO));
    return 0;
}

static double pass_among(long n)
{
    return run(crowd, &n) / n / passes;
}

/* The names that two coroutines use, and how often. */
struct talk {
    struct cg_name to, from;
    int64_t timeout;
    long times;
};

/* Is woken and waits again, without a signal of its own. */
static ssize_t listener(void *arg)
{
    struct talk *talk = arg;

    while (cg_yield(cg_wait_signal(talk->to, NULL, .timeout = talk->timeout)) == 0)
        continue;
    return 0;
}

static ssize_t caller(void *arg)
{
    struct talk *talk = arg;

    cg_yield(cg_add(listener, talk));
    for (long n = talk->times; n > 0; n--)
        cg_yield(cg_signal(talk->to, NULL));
    return 0;
}

/* One signal: the waiter runs until it waits again, then the signaller continues. */
static double signal_to_waiting(long n)
{
    struct talk talk = {.to = cg_name(1), .times = n};

    return run(caller, &talk) / n;
}

static ssize_t answerer(void *arg)
{
    struct talk *talk = arg;

    while (cg_yield(cg_wait_signal(talk->to, NULL, .timeout = talk->timeout)) == 0)
        if (cg_yield(cg_signal(talk->from, NULL, .prio = CG_PRIO_CORO)) < 0)
            break;
    return 0;
}

/* Cancels the other coroutine if it still waits: its timeout would hold the run open. */
static void end(struct cg_coro *other)
{
    cg_yield(cg_cancel(other));
    cg_coro_unref(other);
}

static ssize_t asker(void *arg)
{
    struct talk *talk = arg;
    struct cg_coro *other;

    cg_yield(cg_add(answerer, talk, .coro = &other));
    for (long n = talk->times; n > 0; n--) {
        cg_yield(cg_signal(talk->to, NULL, .prio = CG_PRIO_CORO));
        cg_yield(cg_wait_signal(talk->from, NULL, .timeout = talk->timeout));
    }
    end(other);
    return 0;
}

/* Two coroutines, each waiting for the other's signal in turn: two signals, two waits. */
static double signal_and_back(long n)
{
    struct talk talk = {cg_name(1), cg_name(2), .times = n};

    return run(asker, &talk) / n;
}

static double signal_and_back_pointer(long n)
{
    struct talk talk = {cg_name(&n), cg_name(&reactor_name), .times = n};

    return run(asker, &talk) / n;
}

static double signal_and_back_string(long n)
{
    struct talk talk = {cg_name("there"), cg_name("and back again"), .times = n};

    return run(asker, &talk) / n;
}

/* Like signal_and_back; both waits have a timeout, which never fires. */
static double signal_and_back_timeout(long n)
{
    struct talk talk = {cg_name(1), cg_name(2), 30 * CG_SECOND, n};

    return run(asker, &talk) / n;
}

static ssize_t racer(void *arg)
{
    struct talk *talk = arg;

    cg_yield(cg_add(answerer, talk));
    for (long n = talk->times; n > 0; n--) {
        cg_yield(cg_signal(talk->to, NULL, .prio = CG_PRIO_CORO));
        cg_yield(cg_any((cg_wait_signal(talk->from, NULL), cg_wait_signal(3, NULL))));
    }
    return 0;
}

/* Like signal_and_back; one of the waits is in a cg_any with another one. */
static double signal_and_back_any(long n)
{
    struct talk talk = {cg_name(1), cg_name(2), .times = n};

    return run(racer, &talk) / n;
}

/* Signals beside many waits for other names, which have no coroutines of their own. */
struct crowded {
    struct talk talk;
    long n;
    double ns; /* the time of the signals alone */
};

static ssize_t waits(void *arg)
{
    struct crowded *crowded = arg;
    long n = crowded->n;
    struct cg_wait_signal_op *ops = memory(n, sizeof *ops);
    struct cg_op **list = memory(n, sizeof(struct cg_op *));
    struct cg_any_op any = {.type = &cg_any_type, .ops = list, .count = (size_t)n};

    for (long i = 0; i < n; i++) {
        ops[i] = *(struct cg_wait_signal_op *)cg_wait_signal(1000 + i, NULL);
        list[i] = &ops[i].op;
    }
    cg_yield(&any.op);
    free(list);
    free(ops);
    return 0;
}

static ssize_t asker_among(void *arg)
{
    struct crowded *crowded = arg;
    struct cg_coro *coro;
    double start;

    cg_yield(cg_add(waits, crowded, .coro = &coro));
    start = clock_ns();
    asker(&crowded->talk);
    crowded->ns = clock_ns() - start;
    end(coro);
    return 0;
}

static double signal_and_back_among(long n)
{
    struct crowded crowded = {{cg_name(1), cg_name(2), .times = 100000}, n, 0};

    run(asker_among, &crowded);
    return crowded.ns / crowded.talk.times;
}

struct line {
    struct cg_queue *queue;
    long times;
};

static ssize_t getter(void *arg)
{
    struct line *line = arg;
    void *item;

    for (long n = line->times; n > 0; n--)
        cg_yield(cg_get(line->queue, &item));
    return 0;
}

static ssize_t putter(void *arg)
{
    struct line *line = arg;

    cg_yield(cg_add(getter, line));
    for (long n = line->times; n > 0; n--)
        cg_yield(cg_put(line->queue, NULL));
    return 0;
}

static ssize_t keen_putter(void *arg)
{
    struct line *line = arg;

    cg_yield(cg_add(getter, line));
    for (long n = line->times; n > 0; n--)
        cg_yield(cg_put(line->queue, NULL, .prio = CG_PRIO_CORO));
    return 0;
}

static double through_queue(cg_fn *fn, size_t limit, long n)
{
    struct line line = {cg_queue_new(.limit = limit), n};
    double ns = run(fn, &line) / n;

    cg_queue_free(line.queue);
    return ns;
}

/* Each item goes to a getter that waits; both run before the next item is put. */
static double queue_hand_over(long n)
{
    return through_queue(putter, 1, n);
}

/* The putter continues as long as the queue has room. */
static double queue_through_room(long n)
{
    return through_queue(keen_putter, 16, n);
}

/* The CPU time of one sleep among many that end at random moments. */

static int64_t slack;

static ssize_t sleeper(void *arg)
{
    return cg_yield(cg_sleep((int64_t)(intptr_t)arg));
}

static ssize_t sleepers(void *arg)
{
    uint64_t random = 1;

    cg_sched_set_slack(cg_sched_self(), slack);
    for (long n = *(long *)arg; n > 0; n--) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        cg_yield(cg_add(sleeper, (void *)(intptr_t)((random >> 32) % (200 * CG_MILLISECOND))));
    }
    return 0;
}

static double cpu_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static double sleep_of_random_length(long n)
{
    double start = cpu_ns();

    run(sleepers, &n);
    return (cpu_ns() - start) / n;
}

static ssize_t passes_event(void *n)
{
    struct cg_event event = {.name = "set"};

    cg_event_set(&event);
    for (long i = *(long *)n; i > 0; i--)
        cg_yield(cg_wait_event(&event));
    return 0;
}

/* An operation that is done at once: it is made, begun, and there is nothing to wait for. */
static double done_at_once(long n)
{
    return run(passes_event, &n) / n;
}

static double sleep_with_slack(long n)
{
    double cost;

    slack = CG_MILLISECOND;
    cost = sleep_of_random_length(n);
    slack = 0;
    return cost;
}

static const struct figure figures[] = {
    {"spawn_and_finish", spawn_and_finish, 200000},
    {"pass_among_100", pass_among, 100},
    {"pass_among_10000", pass_among, 10000},
    {"done_at_once", done_at_once, 200000},
    {"signal_to_waiting", signal_to_waiting, 200000},
    {"signal_and_back", signal_and_back, 200000},
    {"signal_and_back_pointer", signal_and_back_pointer, 200000},
    {"signal_and_back_string", signal_and_back_string, 200000},
    {"signal_and_back_timeout", signal_and_back_timeout, 200000},
    {"signal_and_back_any", signal_and_back_any, 200000},
    {"queue_hand_over", queue_hand_over, 200000},
    {"queue_through_room_16", queue_through_room, 200000},
    {"sleep_of_random_length", sleep_of_random_length, 1000},
    {"sleep_with_slack_of_1_ms", sleep_with_slack, 1000},
    {"signal_and_back_among_1000", signal_and_back_among, 1000},
    {"signal_and_back_among_10000", signal_and_back_among, 10000},
    {"signal_and_back_among_100000", signal_and_back_among, 100000},
    {"signal_and_back_among_1000000", signal_and_back_among, 1000000},
    {NULL, NULL, 0},
};

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(const struct figure *figure)
{
    double costs[ROUNDS];

    for (int i = 0; i < ROUNDS; i++)
        costs[i] = figure->round(figure->n);
    qsort(costs, ROUNDS, sizeof costs[0], ascending);
    printf("%s %.1f ns\n", figure->name, costs[ROUNDS / 2]);
    fflush(stdout);
}

static void report_chosen(const struct figure *figure, char **names)
{
    for (; figure->name; figure++) {
        char **name = names;

        while (*name && fnmatch(*name, figure->name, 0) != 0)
            name++;
        if (*name || *names == NULL)
            report(figure);
    }
}

int main(int argc, char **argv)
{
    char **names = argv + 1;

    if (argc > 2 && strcmp(argv[1], "--reactor") == 0) {
        reactor_name = argv[2];
        names += 2;
    }
    if (*names && **names == '-') {
        fprintf(stderr, "usage: core [--reactor NAME] [PATTERN...]\n");
        return 2;
    }
    report_chosen(figures, names);
    report_chosen(growth, names);
    return 0;
}
