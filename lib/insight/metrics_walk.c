/* SPDX-License-Identifier: MIT */
/* Reads the metrics of all schedulers: first copies those of each, while it cannot be freed,
 * then tells the copies by their names. */
#include "config.h"

#include "lib/insight/metrics.h"

#include "lib/core/registry.h"

#include <errno.h>
#include <stdlib.h>

static const struct {
    const char *name, *help;
    enum cg_metric_kind kind;
} counts[CG__METRICS_COUNTS] = {
    [CG__METRICS_STARTED] = {"cogen_coroutines_total", "Coroutines that were started.",
                             CG_METRIC_COUNTER},
    [CG__METRICS_RESUMED] = {"cogen_resumptions_total", "How often coroutines were resumed.",
                             CG_METRIC_COUNTER},
    [CG__METRICS_TURNS] = {"cogen_turns_total", "Turns in which coroutines ran.",
                           CG_METRIC_COUNTER},
    [CG__METRICS_RECEIVED] = {"cogen_received_bytes_total", "Bytes received from the kernel.",
                              CG_METRIC_COUNTER},
    [CG__METRICS_SENT] = {"cogen_sent_bytes_total", "Bytes sent by the kernel.",
                          CG_METRIC_COUNTER},
    [CG__METRICS_ACCEPTED] = {"cogen_accepted_total", "Connections that were accepted.",
                              CG_METRIC_COUNTER},
    [CG__METRICS_REFUSED] = {"cogen_accept_failures_total",
                             "Connections that could not be accepted.", CG_METRIC_COUNTER},
    [CG__METRICS_COROUTINES] = {"cogen_coroutines", "Coroutines that have not finished.",
                                CG_METRIC_GAUGE},
    [CG__METRICS_READY] = {"cogen_ready", "Coroutines that are ready to run.",
                           CG_METRIC_GAUGE},
    [CG__METRICS_TIMERS] = {"cogen_timers", "Timers that are set.", CG_METRIC_GAUGE},
    [CG__METRICS_SOCKETS] = {"cogen_sockets", "Sockets that are open.", CG_METRIC_GAUGE},
    [CG__METRICS_IDLE] = {"cogen_idle_connections",
                          "Connections, and other operations, that wait without a coroutine.",
                          CG_METRIC_GAUGE},
    [CG__METRICS_HOLDS] = {"cogen_holds", "What keeps the run open.", CG_METRIC_GAUGE},
    [CG__METRICS_BUFFERS] = {"cogen_input_buffers",
                             "Input buffers that hold unread bytes or wait for some.",
                             CG_METRIC_GAUGE},
    [CG__METRICS_BUFFERS_FREE] = {"cogen_input_buffers_free", "Input buffers in the pool.",
                                  CG_METRIC_GAUGE},
};

static const struct {
    const char *name, *help;
} lengths[CG__METRICS_LENGTHS] = {
    [CG__METRICS_DELAY] = {"cogen_ready_delay_seconds",
                           "Time from being ready to being resumed."},
    [CG__METRICS_RUN] = {"cogen_run_seconds", "Time that coroutines ran without yielding."},
    [CG__METRICS_TURN] = {"cogen_turn_seconds", "Time between two waits in the reactor."},
    [CG__METRICS_WAIT] = {"cogen_wait_seconds", "Time waited in the reactor."},
};

static const struct {
    const char *name, *help;
} op_counts[CG__METRICS_OP_COUNTS] = {
    [CG__METRICS_OPS] = {"cogen_ops_total", "Operations that coroutines have yielded."},
    [CG__METRICS_FAILURES] = {"cogen_op_failures_total", "Those with a negative result."},
    [CG__METRICS_TIMEOUTS] = {"cogen_op_timeouts_total", "Those that timed out."},
};

/* Copies of what can be read. */
struct histogram {
    uint64_t count, sum, buckets[CG_METRIC_BUCKETS];
};

struct copy {
    struct copy *next;
    unsigned number, ntypes;
    uint64_t counts[CG__METRICS_COUNTS];
    struct histogram lengths[CG__METRICS_LENGTHS];
    struct {
        const char *name;
        uint64_t counts[CG__METRICS_OP_COUNTS];
        struct histogram length;
    } types[CG__METRICS_TYPES];
};

struct walk {
    struct copy *first, **end;
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

static void copy_metrics(void *arg, struct cg_sched *sched)
{
    const struct cg__metrics *m = cg__metrics_of(sched);
    struct walk *walk = arg;
    struct copy *copy;

    if (m == NULL)
        return;
    if ((copy = malloc(sizeof *copy)) == NULL) {
        walk->rc = -ENOMEM;
        return;
    }
    copy->next = NULL;
    copy->number = m->number;
    copy->ntypes = atomic_load_explicit(&m->ntypes, memory_order_acquire);
    for (int i = 0; i < CG__METRICS_COUNTS; i++)
        copy->counts[i] = get(&m->counts[i]);
    for (int i = 0; i < CG__METRICS_LENGTHS; i++)
        copy_histogram(&copy->lengths[i], &m->lengths[i]);
    for (unsigned i = 0; i < copy->ntypes; i++) {
        copy->types[i].name = m->types[i].name;
        for (int k = 0; k < CG__METRICS_OP_COUNTS; k++)
            copy->types[i].counts[k] = get(&m->types[i].counts[k]);
        copy_histogram(&copy->types[i].length, &m->types[i].length);
    }
    *walk->end = copy;
    walk->end = &copy->next;
}

static void tell(struct walk *walk, struct cg_metric metric, const struct copy *copy)
{
    metric.sched = copy->number;
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
    for (int i = 0; i < CG__METRICS_COUNTS; i++)
        EACH_COPY(copy, walk)
            tell(walk,
                 (struct cg_metric){.name = counts[i].name,
                                    .help = counts[i].help,
                                    .kind = counts[i].kind,
                                    .value = copy->counts[i]},
                 copy);
    for (int i = 0; i < CG__METRICS_LENGTHS; i++)
        EACH_COPY(copy, walk)
            tell_histogram(
                walk, (struct cg_metric){.name = lengths[i].name, .help = lengths[i].help},
                copy, &copy->lengths[i]);
}

static void tell_ops(struct walk *walk)
{
    for (int k = 0; k < CG__METRICS_OP_COUNTS; k++)
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

int cg_metrics_walk(cg_metrics_fn *fn, void *arg)
{
    struct walk walk = {.fn = fn, .arg = arg};
    struct copy *copy;

    walk.end = &walk.first;
    cg__registry_each(copy_metrics, &walk);
    tell_plain(&walk);
    tell_ops(&walk);
    while ((copy = walk.first)) {
        walk.first = copy->next;
        free(copy);
    }
    return walk.rc;
}
