/* SPDX-License-Identifier: MIT */
/* Reads the metrics of all schedulers: first copies those of each, while it cannot be freed,
 * then tells the copies by their names. */
#include "config.h"

#include "lib/core/counts.h"
#include "lib/core/registry.h"
#include "lib/core/sched.h"
#include "lib/threads/pool.h"

#include <errno.h>
#include <stdlib.h>

static const struct {
    const char *name, *help;
    enum cg_metric_kind kind;
} counts[CG__COUNTS_VALUES] = {
    [CG__COUNTS_STARTED] = {"cogen_coroutines_total", "Coroutines that were started.",
                             CG_METRIC_COUNTER},
    [CG__COUNTS_RESUMED] = {"cogen_resumptions_total", "How often coroutines were resumed.",
                            CG_METRIC_COUNTER},
    [CG__COUNTS_TURNS] = {"cogen_turns_total", "Turns in which coroutines ran.",
                           CG_METRIC_COUNTER},
    [CG__COUNTS_RECEIVED] = {"cogen_received_bytes_total", "Bytes received from the kernel.",
                              CG_METRIC_COUNTER},
    [CG__COUNTS_SENT] = {"cogen_sent_bytes_total", "Bytes sent by the kernel.",
                          CG_METRIC_COUNTER},
    [CG__COUNTS_ACCEPTED] = {"cogen_accepted_total", "Connections that were accepted.",
                              CG_METRIC_COUNTER},
    [CG__COUNTS_REFUSED] = {"cogen_accept_failures_total",
                             "Connections that could not be accepted.", CG_METRIC_COUNTER},
    [CG__COUNTS_COROUTINES] = {"cogen_coroutines", "Coroutines that have not finished.",
                                CG_METRIC_GAUGE},
    [CG__COUNTS_READY] = {"cogen_ready", "Coroutines that are ready to run.",
                           CG_METRIC_GAUGE},
    [CG__COUNTS_TIMERS] = {"cogen_timers", "Timers that are set.", CG_METRIC_GAUGE},
    [CG__COUNTS_SOCKETS] = {"cogen_sockets", "Sockets that are open.", CG_METRIC_GAUGE},
    [CG__COUNTS_IDLE] = {"cogen_idle_connections",
                          "Connections, and other operations, that wait without a coroutine.",
                          CG_METRIC_GAUGE},
    [CG__COUNTS_HOLDS] = {"cogen_holds", "What keeps the run open.", CG_METRIC_GAUGE},
    [CG__COUNTS_BUFFERS] = {"cogen_input_buffers",
                             "Input buffers in use, and output buffers of HTTP servers.",
                             CG_METRIC_GAUGE},
    [CG__COUNTS_BUFFERS_FREE] = {"cogen_input_buffers_free", "Input buffers in the pool.",
                                  CG_METRIC_GAUGE},
    [CG__COUNTS_STACKS] = {"cogen_stacks", "Stacks of coroutines.", CG_METRIC_GAUGE},
    [CG__COUNTS_STACKS_FREE] = {"cogen_stacks_free",
                                 "Stacks in the pool that are still in memory.",
                                 CG_METRIC_GAUGE},
};

static const struct {
    const char *name, *help;
} lengths[CG__COUNTS_LENGTHS] = {
    [CG__COUNTS_DELAY] = {"cogen_ready_delay_seconds",
                           "Time from being ready to being resumed."},
    [CG__COUNTS_RUN] = {"cogen_run_seconds", "Time that coroutines ran without yielding."},
    [CG__COUNTS_TURN] = {"cogen_turn_seconds", "Time between two waits in the reactor."},
    [CG__COUNTS_WAIT] = {"cogen_wait_seconds", "Time waited in the reactor."},
};

/* Counters of each type of operation. */
enum op_count { OPS, FAILURES, TIMEOUTS, BRANCHES, OP_COUNTS };

static const struct {
    const char *name, *help;
} op_counts[OP_COUNTS] = {
    [OPS] = {"cogen_ops_total", "Operations that coroutines have yielded."},
    [FAILURES] = {"cogen_op_failures_total", "Those with a negative result."},
    [TIMEOUTS] = {"cogen_op_timeouts_total", "Those that timed out."},
    [BRANCHES] = {"cogen_op_branches_total",
                  "Operations that were branches of cg_any and cg_all."},
};

/* Of the process. */
enum total { SCHEDS, WORKERS, THREADS, THREADS_IDLE, QUEUED, RUNNING, TOTALS };

static const struct {
    const char *name, *help;
} totals[TOTALS] = {
    [SCHEDS] = {"cogen_schedulers", "Schedulers, also those that do not count."},
    [WORKERS] = {"cogen_crew_workers", "Those of them that are workers of crews."},
    [THREADS] = {"cogen_pool_threads", "Threads for blocking functions, of all pools."},
    [THREADS_IDLE] = {"cogen_pool_threads_idle", "Those of them that have nothing to do."},
    [QUEUED] = {"cogen_pool_jobs_queued", "Blocking functions that wait for a thread."},
    [RUNNING] = {"cogen_pool_jobs_running", "Blocking functions that run."},
};

/* Copies of what can be read. */
struct histogram {
    uint64_t count, sum, buckets[CG_METRIC_BUCKETS];
};

struct copy {
    struct copy *next;
    unsigned number, ntypes;
    uint64_t values[CG__COUNTS_VALUES];
    struct histogram lengths[CG__COUNTS_LENGTHS];
    struct {
        const char *name;
        uint64_t counts[OP_COUNTS];
        struct histogram length;
    } types[CG__COUNTS_TYPES];
};

struct walk {
    struct copy *first, **end;
    uint64_t totals[TOTALS];
    cg_metrics_fn *fn;
    void *arg;
    int rc;
};

static uint64_t get(const atomic_ullong *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void copy_histogram(struct histogram *to, const struct cg__histogram *from)
{
    to->count = 0;
    to->sum = get(&from->sum);
    for (int i = 0; i < CG_METRIC_BUCKETS; i++)
        to->count += to->buckets[i] = get(&from->buckets[i]);
}

static void copy_type(struct copy *copy, unsigned i, const struct cg__counts_type *type)
{
    uint64_t *counts = copy->types[i].counts;

    copy->types[i].name = type->name;
    copy_histogram(&copy->types[i].length, &type->length);
    counts[OPS] = get(&type->at_once) + copy->types[i].length.count;
    counts[FAILURES] = get(&type->failures);
    counts[TIMEOUTS] = get(&type->timeouts);
    counts[BRANCHES] = get(&type->branches);
}

static void copy_counts(void *arg, struct cg_sched *sched)
{
    const struct cg__counts *counts = sched->observe ? sched->observe->counts : NULL;
    struct walk *walk = arg;
    struct copy *copy;

    walk->totals[SCHEDS]++;
    walk->totals[WORKERS] += sched->worker != NULL;
    if (counts == NULL)
        return;
    if ((copy = malloc(sizeof *copy)) == NULL) {
        walk->rc = -ENOMEM;
        return;
    }
    copy->next = NULL;
    copy->number = counts->number;
    copy->ntypes = atomic_load_explicit(&counts->ntypes, memory_order_acquire);
    for (int i = 0; i < CG__COUNTS_VALUES; i++)
        copy->values[i] = get(&counts->values[i]);
    for (int i = 0; i < CG__COUNTS_LENGTHS; i++)
        copy_histogram(&copy->lengths[i], &counts->lengths[i]);
    for (unsigned i = 0; i < copy->ntypes; i++)
        copy_type(copy, i, &counts->types[i]);
    *walk->end = copy;
    walk->end = &copy->next;
}

static void count_threads(struct walk *walk)
{
    struct cg__pool_counts pools = cg__pool_count();

    walk->totals[THREADS] = pools.threads;
    walk->totals[THREADS_IDLE] = pools.idle;
    walk->totals[QUEUED] = pools.queued;
    walk->totals[RUNNING] = pools.running;
}

/* `copy`: the scheduler, or NULL: it is of the process. */
static void tell(struct walk *walk, struct cg_metric metric, const struct copy *copy)
{
    metric.sched = copy ? copy->number : 0;
    if (walk->rc == 0)
        walk->rc = walk->fn(walk->arg, &metric);
}

static void tell_histogram(struct walk *walk, struct cg_metric metric, const struct copy *copy,
                           const struct histogram *histogram)
{
    metric.kind = CG_METRIC_HISTOGRAM;
    metric.value = histogram->count;
    metric.sum = histogram->sum;
    metric.buckets = histogram->buckets;
    tell(walk, metric, copy);
}

#define EACH_COPY(copy, walk)                                                              \
    for (const struct copy *copy = (walk)->first; copy; copy = copy->next)

static void tell_plain(struct walk *walk)
{
    for (int i = 0; i < CG__COUNTS_VALUES; i++)
        EACH_COPY(copy, walk)
            tell(walk,
                 (struct cg_metric){.name = counts[i].name,
                                    .help = counts[i].help,
                                    .kind = counts[i].kind,
                                    .value = copy->values[i]},
                 copy);
    for (int i = 0; i < CG__COUNTS_LENGTHS; i++)
        EACH_COPY(copy, walk)
            tell_histogram(
                walk, (struct cg_metric){.name = lengths[i].name, .help = lengths[i].help},
                copy, &copy->lengths[i]);
}

static void tell_ops(struct walk *walk)
{
    for (int k = 0; k < OP_COUNTS; k++)
        EACH_COPY(copy, walk)
            for (unsigned i = 0; i < copy->ntypes; i++)
                tell(walk,
                     (struct cg_metric){.name = op_counts[k].name,
                                        .help = op_counts[k].help,
                                        .label = "op",
                                        .of = copy->types[i].name,
                                        .value = copy->types[i].counts[k]},
                     copy);
    EACH_COPY(copy, walk)
        for (unsigned i = 0; i < copy->ntypes; i++)
            if (copy->types[i].length.count > 0)
                tell_histogram(walk,
                           (struct cg_metric){.name = "cogen_op_wait_seconds",
                                              .help = "Time from the suspension of a coroutine "
                                                      "by its operation to its resumption.",
                                              .label = "op",
                                              .of = copy->types[i].name},
                           copy, &copy->types[i].length);
}

static void tell_totals(struct walk *walk)
{
    for (int i = 0; i < TOTALS; i++)
        tell(walk,
             (struct cg_metric){.name = totals[i].name,
                                .help = totals[i].help,
                                .kind = CG_METRIC_GAUGE,
                                .value = walk->totals[i]},
             NULL);
}

int cg_metrics_walk(cg_metrics_fn *fn, void *arg)
{
    struct walk walk = {.fn = fn, .arg = arg};
    struct copy *copy;

    walk.end = &walk.first;
    cg__registry_each(copy_counts, &walk);
    count_threads(&walk);
    tell_plain(&walk);
    tell_ops(&walk);
    if (walk.first) /* else none of the program's schedulers is to be counted */
        tell_totals(&walk);
    while ((copy = walk.first)) {
        walk.first = copy->next;
        free(copy);
    }
    return walk.rc;
}
