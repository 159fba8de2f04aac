/* SPDX-License-Identifier: MIT */
/* Metrics: what is counted, by whom it can be read, and that others count nothing. */
#include "config.h"

#include "lib/core/counts.h"
#include "lib/core/registry.h"
#include "tests/support/child.h"
#include "tests/support/support.h"

#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What to find. */
struct wanted {
    const char *name, *of;
    struct cg_metric found;
    uint64_t *buckets; /* for those of a histogram */
    unsigned scheds; /* how many have it */
};

static int look(void *arg, const struct cg_metric *metric)
{
    struct wanted *wanted = arg;

    if (strcmp(metric->name, wanted->name) != 0 ||
        (wanted->of && strcmp(metric->of, wanted->of) != 0))
        return 0;
    wanted->found = *metric;
    if (metric->buckets) {
        memcpy(wanted->buckets, metric->buckets, CG_METRIC_BUCKETS * sizeof *wanted->buckets);
        wanted->found.buckets = wanted->buckets;
    }
    wanted->scheds++;
    return 0;
}

/* The buckets are valid until the next call. */
static struct cg_metric find(const char *name, const char *of)
{
    static uint64_t buckets[CG_METRIC_BUCKETS];
    struct wanted wanted = {.name = name, .of = of, .buckets = buckets};

    ck_assert_int_eq(cg_metrics_walk(look, &wanted), 0);
    ck_assert_msg(wanted.scheds == 1, "%s is there %u times", name, wanted.scheds);
    return wanted.found;
}

static uint64_t value(const char *name, const char *of)
{
    return find(name, of).value;
}

static void run(cg_fn *fn)
{
    struct test test = test_open(.metrics = true);

    OK(cg_sched_start(test.sched, fn, NULL));
    test_finish(&test);
    test_close(&test);
}

/* Operations count by their types: all of them, those that fail, those that time out, and how
 * long those took that had to wait. */
static ssize_t yields(void *arg)
{
    struct cg_metric wait;

    (void)arg;
    OK(cg_yield(cg_sleep(3 * CG_MILLISECOND)));
    IS(cg_yield(cg_wait_signal("nobody", NULL, .timeout = CG_MILLISECOND)), -ETIMEDOUT);
    OK(cg_yield(cg_signal("nobody", 0)));
    ck_assert_uint_eq(value("cogen_ops_total", "sleep"), 1);
    ck_assert_uint_eq(value("cogen_ops_total", "wait_signal"), 1);
    ck_assert_uint_eq(value("cogen_ops_total", "signal"), 1);
    ck_assert_uint_eq(value("cogen_op_failures_total", "sleep"), 0);
    ck_assert_uint_eq(value("cogen_op_failures_total", "wait_signal"), 1);
    ck_assert_uint_eq(value("cogen_op_timeouts_total", "wait_signal"), 1);
    wait = find("cogen_op_wait_seconds", "sleep");
    ck_assert_uint_eq(wait.value, 1);
    ck_assert_uint_ge(wait.sum, 3 * CG_MILLISECOND);
    for (int i = 0; i < CG_METRIC_BUCKETS; i++)
        if (wait.buckets[i] > 0)
            ck_assert_int_le(3 * CG_MILLISECOND, cg_metrics_limit(i));
    return 0;
}

static void counts_operations(void)
{
    run(yields);
}

/* A compound operation counts as a whole, and what it yields counts, too. */
static ssize_t sleeps(void *arg)
{
    (void)arg;
    return cg_yield(cg_sleep(CG_MILLISECOND));
}

static ssize_t calls(void *arg)
{
    OK(cg_yield(cg_call(sleeps, arg)));
    ck_assert_uint_eq(value("cogen_ops_total", "call"), 1);
    ck_assert_uint_eq(value("cogen_ops_total", "sleep"), 1);
    ck_assert_uint_ge(find("cogen_op_wait_seconds", "call").sum,
                      find("cogen_op_wait_seconds", "sleep").sum);
    return 0;
}

static void counts_compound_operations(void)
{
    run(calls);
}

/* A coroutine that is ready waits for the one that runs. */
static ssize_t passes(void *arg)
{
    (void)arg;
    return cg_yield(cg_pass());
}

static ssize_t computes(void *arg)
{
    int64_t end = test_clock(CLOCK_MONOTONIC) + 20 * CG_MILLISECOND;

    (void)arg;
    while (test_clock(CLOCK_MONOTONIC) < end)
        continue;
    return 0;
}

static uint64_t above(const char *name, int64_t limit)
{
    struct cg_metric metric = find(name, NULL);
    uint64_t sum = 0;

    for (int i = 1; i < CG_METRIC_BUCKETS; i++)
        if (cg_metrics_limit(i - 1) >= limit)
            sum += metric.buckets[i];
    return sum;
}

static ssize_t delays(void *arg)
{
    uint64_t resumed = value("cogen_resumptions_total", NULL);

    OK(cg_yield(cg_add(computes, arg)));
    OK(cg_yield(cg_add(passes, arg)));
    do /* on a busy machine a sleep may be over before the loop waits, which publishes the rest */
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    while (find("cogen_wait_seconds", NULL).value == 0);
    ck_assert_uint_ge(value("cogen_resumptions_total", NULL), resumed + 5);
    ck_assert_uint_ge(value("cogen_coroutines_total", NULL), 3);
    ck_assert_uint_gt(value("cogen_turns_total", NULL), 0);
    if (!test_on_sim()) {
        ck_assert_uint_ge(above("cogen_run_seconds", 4 * CG_MILLISECOND), 1);
        ck_assert_uint_ge(above("cogen_turn_seconds", 4 * CG_MILLISECOND), 1);
    }
    ck_assert_uint_gt(find("cogen_wait_seconds", NULL).value, 0);
    return 0;
}

static void measures_runs(void)
{
    run(delays);
}

/* Two that are ready, of which the first one computes: the second one is late. */
static ssize_t is_late(void *arg)
{
    struct cg_coro *first = test_start(passes, arg), *second;

    OK(test_end(first));
    first = test_start(computes, arg);
    second = test_start(passes, arg);
    OK(test_end(first));
    OK(test_end(second));
    if (!test_on_sim())
        ck_assert_uint_ge(above("cogen_ready_delay_seconds", 4 * CG_MILLISECOND), 1);
    return 0;
}

static void measures_delays(void)
{
    run(is_late);
}

/* More coroutines than the ready queue had places. */
static ssize_t many(void *arg)
{
    for (int i = 0; i < 200; i++)
        OK(cg_yield(cg_add(passes, arg, .prio = i % 3 ? CG_PRIO_LAST : CG_PRIO_FIRST)));
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    ck_assert_uint_ge(value("cogen_resumptions_total", NULL), 400);
    ck_assert_uint_eq(value("cogen_coroutines", NULL), 1);
    ck_assert_uint_lt(find("cogen_ready_delay_seconds", NULL).sum, 1000 * CG_SECOND);
    return 0;
}

static void follows_the_queue(void)
{
    run(many);
}

static ssize_t passes_often(void *arg)
{
    for (int i = 0; i < 1000; i++)
        OK(passes(arg));
    return 0;
}

/* While many are ready, one turn of eight is timed; the others only count. */
static ssize_t pass_together(void *arg)
{
    enum { MANY = 10 };
    struct cg_coro *coro[MANY];
    uint64_t resumed, timed;

    for (int i = 0; i < MANY; i++)
        coro[i] = test_start(passes_often, arg);
    for (int i = 0; i < MANY; i++)
        OK(test_end(coro[i]));
    resumed = value("cogen_resumptions_total", NULL);
    timed = find("cogen_ready_delay_seconds", NULL).value;
    ck_assert_uint_ge(resumed, MANY * 1000);
    ck_assert_uint_ge(timed, resumed / 16);
    ck_assert_uint_le(timed, resumed / 4);
    ck_assert_uint_ge(find("cogen_run_seconds", NULL).value, resumed / 16);
    return 0;
}

static void samples_busy_turns(void)
{
    run(pass_together);
}

/* Branches of races count by their types, also those of races within races. */
static ssize_t races(void *arg)
{
    (void)arg;
    OK(cg_yield(cg_any((cg_sleep(CG_MILLISECOND), cg_wait_signal("nobody", NULL),
                        cg_all((cg_sleep(CG_SECOND), cg_wait_signal("nobody", NULL)))))));
    OK(cg_yield(cg_sleep(1)));
    IS(cg_yield(cg_any_of(NULL, 0)), -EINVAL);
    ck_assert_uint_eq(value("cogen_op_branches_total", "sleep"), 2);
    ck_assert_uint_eq(value("cogen_op_branches_total", "wait_signal"), 2);
    ck_assert_uint_eq(value("cogen_op_branches_total", "all"), 1);
    ck_assert_uint_eq(value("cogen_op_branches_total", "any"), 0);
    ck_assert_uint_eq(value("cogen_ops_total", "sleep"), 1);
    ck_assert_uint_eq(value("cogen_ops_total", "any"), 2);
    return 0;
}

static void counts_branches(void)
{
    run(races);
}

static ssize_t returns(struct cg_op *op)
{
    (void)op;
    return 0;
}

static void yield_type(const struct cg_op_type *type)
{
    OK(cg_yield(&(struct cg_op){.type = type}));
}

/* A type with the name of another one counts with it, and leaves the branches of the other. */
static ssize_t is_a_namesake(void *arg)
{
    static const struct cg_op_type namesake = {.name = "any", .run = returns};

    (void)arg;
    for (unsigned i = 1; i <= 3; i++) {
        OK(cg_yield(cg_any((cg_sleep(CG_MILLISECOND)))));
        yield_type(&namesake);
        ck_assert_uint_eq(value("cogen_op_branches_total", "sleep"), i);
        ck_assert_uint_eq(value("cogen_ops_total", "any"), 2 * i);
    }
    return 0;
}

/* Of more types than can be told apart the later ones are the "others", together with a type that
 * is called so: no name is there twice. */
static ssize_t are_many(void *arg)
{
    static struct cg_op_type types[CG__COUNTS_TYPES + 10];
    static char names[COUNT(types)][8];

    (void)arg;
    for (size_t i = 0; i < COUNT(types); i++) {
        snprintf(names[i], sizeof names[i], i == 3 ? "others" : "type%zu", i);
        types[i] = (struct cg_op_type){.name = names[i], .run = returns};
        yield_type(&types[i]);
    }
    ck_assert_uint_eq(value("cogen_ops_total", "type94"), 1);
    ck_assert_uint_eq(value("cogen_ops_total", "others"), COUNT(types) - 94);
    return 0;
}

static void counts_by_name(void)
{
    run(is_a_namesake);
    run(are_many);
}

/* Stacks and threads. */
static ssize_t blocks(void *arg)
{
    return (ssize_t)read(*(int *)arg, &(char){0}, 1);
}

static ssize_t offloads(void *fds)
{
    return cg_yield(cg_offload(blocks, fds));
}

static ssize_t uses_pools(void *arg)
{
    struct cg_coro *coro;
    int fds[2];

    (void)arg;
    IS(pipe(fds), 0);
    coro = test_start(offloads, fds);
    while (value("cogen_pool_jobs_running", NULL) == 0)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    ck_assert_uint_ge(value("cogen_pool_threads", NULL), 1);
    ck_assert_uint_eq(value("cogen_pool_jobs_queued", NULL), 0);
    ck_assert_uint_eq(value("cogen_stacks", NULL), 2);
    ck_assert_uint_eq(value("cogen_schedulers", NULL), 1);
    ck_assert_uint_eq(value("cogen_crew_workers", NULL), 0);
    ck_assert_uint_eq(find("cogen_schedulers", NULL).sched, 0);
    IS(write(fds[1], "x", 1), 1);
    IS(test_end(coro), 1);
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    ck_assert_uint_eq(value("cogen_pool_jobs_running", NULL), 0);
    ck_assert_uint_eq(value("cogen_stacks", NULL), 1);
    ck_assert_uint_ge(value("cogen_stacks_free", NULL), 1);
    close(fds[0]);
    close(fds[1]);
    return 0;
}

static void counts_pools(void)
{
    run(uses_pools);
}

static ssize_t is_worker(void *arg)
{
    (void)arg;
    if (cg_worker_id() == 0) {
        struct wanted wanted = {.name = "cogen_crew_workers"};

        SURE(cg_metrics_walk(look, &wanted) == 0 && wanted.scheds == 1);
        SURE(wanted.found.value == 2 && wanted.found.sched == 0);
    }
    return 0;
}

static void act_crew(void)
{
    SURE(cg_crew_main(is_worker, NULL, .workers = 2, .metrics = true, .reactor = "poll") == 0);
}

static void counts_workers(void)
{
    char said[1000];

    IS(child_run(act_crew, said, sizeof said), 0);
    ck_assert_str_eq(said, "");
}

/* Bytes and connections, whether requests complete at once or later. */
static ssize_t moves(void *arg)
{
    struct cg_sock *a, *b;
    char buf[100];

    (void)arg;
    test_tcp(&a, &b);
    OK(cg_yield(cg_writeall(a, "hello", 5)));
    IS(cg_yield(cg_readall(b, buf, 5)), 5);
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    ck_assert_uint_eq(value("cogen_sent_bytes_total", NULL), 5);
    ck_assert_uint_eq(value("cogen_received_bytes_total", NULL), 5);
    ck_assert_uint_eq(value("cogen_accepted_total", NULL), 1);
    ck_assert_uint_eq(value("cogen_sockets", NULL), 2);
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

static void counts_bytes(void)
{
    run(moves);
}

/* A scheduler counts only if it was told to. */
static ssize_t counts_nothing(void *arg)
{
    struct wanted wanted = {.name = "cogen_turns_total"};

    (void)arg;
    ck_assert_int_eq(cg_metrics_walk(look, &wanted), 0);
    ck_assert_uint_eq(wanted.scheds, 0);
    return 0;
}

/* A result of the function ends the walk and is returned. */
static int stops(void *arg, const struct cg_metric *metric)
{
    (void)metric;
    return ++*(int *)arg;
}

static ssize_t walks(void *arg)
{
    int calls_so_far = 6;

    (void)arg;
    ck_assert_int_eq(cg_metrics_walk(stops, &calls_so_far), 7);
    return 0;
}

static void ends_a_walk(void)
{
    run(walks);
}

/* The limits of the buckets, and numbers that are none of theirs. */
static void knows_limits(void)
{
    ck_assert_int_eq(cg_metrics_limit(0), CG_MICROSECOND);
    ck_assert_int_eq(cg_metrics_limit(5), 1024 * CG_MICROSECOND);
    ck_assert(cg_metrics_limit(CG_METRIC_BUCKETS - 1) == CG_NEVER);
    ck_assert(cg_metrics_limit(1000) == CG_NEVER);
    ck_assert_int_eq(cg_metrics_limit(-1), 0);
}

/* The text: each metric has its head once, and no line but numbers and labels. */
static ssize_t prints(void *arg)
{
    static const struct cg_op_type odd = {.name = "a\"b\\c\n\xff\xc3\xa4", .run = returns};
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len), *full = fopen("/dev/full", "w");

    (void)arg;
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    yield_type(&odd);
    IS(cg_metrics_print(out), 0);
    fclose(out);
    ck_assert(strstr(text, ",op=\"a\\\"b\\\\c\\n\xef\xbf\xbd\xc3\xa4\"} 1\n") != NULL);
    ck_assert_msg(strstr(text, "# HELP cogen_ops_total Operations that coroutines have yielded.\n"
                               "# TYPE cogen_ops_total counter\n"
                               "cogen_ops_total{sched=\"") != NULL,
                  "%s", text);
    ck_assert(strstr(text, ",op=\"sleep\"} 1\n") != NULL);
    ck_assert(strstr(text, ",op=\"sleep\",le=\"0.000001000\"} 0\n") != NULL);
    ck_assert(strstr(text, ",op=\"sleep\",le=\"+Inf\"} 1\n") != NULL);
    ck_assert(strstr(strstr(text, "# HELP cogen_ops_total") + 1, "# HELP cogen_ops_total") ==
              NULL);
    ck_assert(strstr(text, "\n# TYPE cogen_schedulers gauge\ncogen_schedulers 1\n") != NULL);
    free(text);
    if (full != NULL) {
        IS(cg_metrics_print(full), -EIO);
        fclose(full);
    }
    return 0;
}

static void prints_text(void)
{
    run(prints);
}

/* Another thread reads while schedulers come, count and go. */
static atomic_bool reading;

static void *reads(void *arg)
{
    (void)arg;
    while (atomic_load(&reading)) {
        struct wanted wanted = {.name = "cogen_ops_total", .of = "pass"};

        ck_assert_int_eq(cg_metrics_walk(look, &wanted), 0);
    }
    return NULL;
}

static void is_read_by_others(void)
{
    pthread_t thread;

    atomic_store(&reading, true);
    ck_assert_int_eq(pthread_create(&thread, NULL, reads, NULL), 0);
    for (int i = 0; i < 20; i++)
        run(passes_often);
    atomic_store(&reading, false);
    pthread_join(thread, NULL);
}

static atomic_bool visiting;

static void visit_slowly(void *arg, struct cg_sched *sched)
{
    (void)arg;
    (void)sched;
    usleep(2000);
}

static void *walk_often(void *arg)
{
    while (atomic_load(&visiting))
        cg__registry_each(visit_slowly, arg);
    return NULL;
}

/* A scheduler can be freed while others are visited all the time. */
static void is_freed_while_others_are_read(void)
{
    enum { WALKERS = 8 };
    pthread_t threads[WALKERS];
    struct cg_reactor *reactor[2];
    struct cg_sched *sched[2];

    for (int i = 0; i < 2; i++) {
        OK(cg_reactor_open(test_on_sim() ? "sim" : test_reactor(), &reactor[i]));
        sched[i] = cg_sched_new(reactor[i]);
        ck_assert_ptr_nonnull(sched[i]);
    }
    atomic_store(&visiting, true);
    for (int i = 0; i < WALKERS; i++)
        IS(pthread_create(&threads[i], NULL, walk_often, NULL), 0);
    cg_sched_free(sched[0]);
    atomic_store(&visiting, false);
    for (int i = 0; i < WALKERS; i++)
        IS(pthread_join(threads[i], NULL), 0);
    cg_sched_free(sched[1]);
    for (int i = 0; i < 2; i++)
        cg_reactor_close(reactor[i]);
}

static const struct test_case cases[] = {
    PLAIN(counts_operations),
    PLAIN(counts_compound_operations),
    PLAIN(measures_runs),
    PLAIN(measures_delays),
    PLAIN(follows_the_queue),
    PLAIN(samples_busy_turns),
    PLAIN(counts_branches),
    PLAIN(counts_by_name),
    PLAIN(counts_pools),
    PLAIN(counts_workers, .where = ON_SIM),
    PLAIN(counts_bytes),
    CORO(counts_nothing),
    PLAIN(ends_a_walk),
    PLAIN(knows_limits),
    PLAIN(prints_text),
    PLAIN(is_read_by_others),
    PLAIN(is_freed_while_others_are_read),
};

int main(void)
{
    return test_main("metrics", cases, COUNT(cases));
}
