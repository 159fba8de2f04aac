/* SPDX-License-Identifier: MIT */
/* cg_crew_main: a run on several threads. It is in this folder because lib/ knows no
 * backend. All workers wait for each other three times: until everything is made, until no
 * worker has anything to do, and until all runs have ended. So while a coroutine runs
 * anywhere, every scheduler exists, and any thread may post to it. */
#include "config.h"

#include "lib/base/affinity.h"
#include "lib/base/report.h"
#include "lib/threads/crew.h"
#include "reactors/main.h"

#include <cogen/reactor.h>
#include <cogen/sim.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(struct cg_worker *worker, ssize_t code)
{
    struct cg__crew *crew = worker->crew;

    if (crew->count > 1) /* with one worker, the returned code says enough */
        cg__report("%s failed: %s", worker->name, cg_strerror(code));
    pthread_mutex_lock(&crew->lock);
    if (crew->failure == 0)
        crew->failure = code;
    pthread_mutex_unlock(&crew->lock);
    if (crew->options.keep_going)
        return;
    for (unsigned k = 0; k < crew->count; k++)
        if (atomic_load(&crew->workers[k].sched->stops) == 0)
            cg_sched_stop(crew->workers[k].sched);
}

/* The first coroutine of a worker. */
static ssize_t work(void *arg)
{
    struct cg_worker *worker = arg;
    ssize_t result;

    if (worker->crew->abandoned)
        return 0; /* the crew could not be made, and this scheduler is being freed */
    result = worker->crew->fn(worker->crew->arg);
    if (result < 0 && result != -ECANCELED)
        fail(worker, result);
    return 0;
}

static void wake(struct cg_worker *worker)
{
    worker->reactor->type->wake(worker->reactor);
}

/* A post is on the way to a worker that rests. Only a busy worker, or a thread that the
 * program must hold the run open for, can have made it. */
static struct cg_worker *find_posted(struct cg__crew *crew)
{
    for (unsigned k = 0; k < crew->count; k++)
        if (crew->workers[k].resting && atomic_load(&crew->workers[k].sched->posts))
            return &crew->workers[k];
    return NULL;
}

/* Called when a worker has nothing to do. If no worker has, all end. But the last one to
 * retire may have posted to a worker that has not noticed it yet: then that one is busy in its
 * place. Under the crew's lock. */
static void retire(struct cg_worker *worker)
{
    struct cg__crew *crew = worker->crew;
    struct cg_worker *other;

    if (crew->busy > 1) {
        crew->busy--;
    } else if ((other = find_posted(crew))) {
        other->resting = false;
        wake(other);
    } else {
        crew->busy = 0;
        for (unsigned k = 0; k < crew->count; k++)
            wake(&crew->workers[k]);
    }
}

/* Whether a resting worker goes on resting. Under the crew's lock. Sets *rc to 1 if the worker
 * counts as busy again, to 0 if all have retired. */
static bool rests(struct cg_worker *worker, int *rc)
{
    struct cg__crew *crew = worker->crew;

    *rc = !worker->resting;
    if (worker->resting && crew->busy > 0 &&
        (atomic_load(&worker->sched->posts) || atomic_load(&worker->sched->stops))) {
        worker->resting = false;
        crew->busy++;
        *rc = 1;
    }
    return worker->resting && crew->busy > 0;
}

/* Waits until something is posted to an idle worker. Returns 1, and the worker counts as
 * busy; 0: all are idle; or a negative code if the reactor has failed. */
static int rest(struct cg_worker *worker)
{
    struct cg__crew *crew = worker->crew;
    int rc;

    pthread_mutex_lock(&crew->lock);
    worker->resting = true;
    retire(worker);
    while (rests(worker, &rc)) {
        pthread_mutex_unlock(&crew->lock);
        rc = worker->reactor->type->wait(worker->reactor, CG_NEVER);
        pthread_mutex_lock(&crew->lock);
        if (rc < 0)
            break;
    }
    if (rc < 0 && !worker->resting)
        retire(worker); /* it was made busy meanwhile */
    worker->resting = false;
    pthread_mutex_unlock(&crew->lock);
    return rc;
}

static void retire_for_good(struct cg_worker *worker)
{
    pthread_mutex_lock(&worker->crew->lock);
    retire(worker);
    pthread_mutex_unlock(&worker->crew->lock);
}

static void wait_until_all_have_ended(struct cg__crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    if (++crew->ended == crew->count) {
        cg__crew_set(NULL);
        pthread_cond_broadcast(&crew->changed);
    }
    while (crew->ended < crew->count)
        pthread_cond_wait(&crew->changed, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}

static void free_worker(struct cg_worker *worker)
{
    cg_coro_unref(worker->coro);
    cg_sched_free(worker->sched);
    cg_reactor_close(worker->reactor);
}

/* Runs in the worker's thread, from the first turn until everything of the worker is
 * freed. */
static void run(struct cg_worker *worker)
{
    struct cg_sched *sched = worker->sched;
    char who[sizeof worker->name + 2];
    ssize_t left;
    int rc = 1;

    do {
        left = cg_sched_run(sched);
        if (left < 0 || cg_sched_stopped(sched))
            retire_for_good(worker);
        else
            rc = rest(worker);
    } while (left >= 0 && !cg_sched_stopped(sched) && rc > 0);
    if (left >= 0 && rc >= 0) {
        snprintf(who, sizeof who, "%s: ", worker->name);
        if ((rc = (int)cg__main_outcome(sched, worker->coro, left, who)) < 0)
            fail(worker, rc);
        cg__sched_end(sched);
    } else {
        fail(worker, left < 0 ? left : rc);
    }
    cg__run_on_refuse(worker);
    wait_until_all_have_ended(worker->crew);
    free_worker(worker);
}

static void *run_thread(void *arg)
{
    struct cg_worker *worker = arg;
    struct cg__crew *crew = worker->crew;
    bool opened;

    pthread_mutex_lock(&crew->lock);
    while (!crew->opened && !crew->abandoned)
        pthread_cond_wait(&crew->changed, &crew->lock);
    opened = crew->opened;
    pthread_mutex_unlock(&crew->lock);
    if (!opened)
        return NULL;
    if (crew->options.pin)
        free(cg__affinity_pin(worker->number));
    run(worker);
    return NULL;
}

static bool is_sim(const char *name)
{
    if (name == NULL)
        name = getenv("COGEN_REACTOR");
    return name && strcmp(name, "sim") == 0;
}

/* Opens a worker's reactor: one that other threads may wake, also if it is a simulated
 * world. */
static int open_reactor(const char *name, struct cg_reactor **reactor)
{
    int rc;

    if (is_sim(name))
        return cg_sim_open(&(struct cg_sim_options){.threads = true}, reactor);
    if ((rc = cg_reactor_open(name, reactor)) < 0)
        cg__main_tell_why_none(name, rc);
    return rc;
}

static int make_worker(struct cg_worker *worker)
{
    const struct cg_crew_options *options = &worker->crew->options;
    int rc = open_reactor(options->reactor, &worker->reactor);

    if (rc < 0)
        return rc;
    worker->sched = cg_sched_new(worker->reactor, .grace = options->grace,
                                 .timeout = options->timeout,
                                 .stack_size = options->stack_size);
    if (worker->sched == NULL)
        return -ENOMEM;
    worker->sched->worker = worker;
    return cg_sched_start(worker->sched, work, worker, .name = worker->name,
                          .coro = &worker->coro);
}

static struct cg__crew *make_crew(cg_fn *fn, void *arg, const struct cg_crew_options *options)
{
    unsigned count = options && options->workers ? options->workers : cg_cpus();
    struct cg__crew *crew = calloc(1, sizeof *crew + count * sizeof crew->workers[0]);

    if (crew == NULL)
        return NULL;
    if (options)
        crew->options = *options;
    crew->fn = fn;
    crew->arg = arg;
    crew->count = count;
    crew->busy = count;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->changed, NULL);
    for (unsigned k = 0; k < count; k++) {
        crew->workers[k].crew = crew;
        crew->workers[k].number = k;
        snprintf(crew->workers[k].name, sizeof crew->workers[k].name, "worker %u", k);
    }
    return crew;
}

static int make_workers(struct cg__crew *crew)
{
    int rc = 0;

    for (unsigned k = 0; k < crew->count && rc == 0; k++)
        rc = make_worker(&crew->workers[k]);
    return rc;
}

/* Sets a flag for which the threads wait: they may run, or must end. */
static void tell(struct cg__crew *crew, bool *what)
{
    pthread_mutex_lock(&crew->lock);
    *what = true;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
}

static void join(struct cg__crew *crew, unsigned threads)
{
    for (unsigned k = 1; k < threads; k++)
        pthread_join(crew->workers[k].thread, NULL);
}

static void run_first(struct cg__crew *crew)
{
    struct cg__affinity *before = crew->options.pin ? cg__affinity_pin(0) : NULL;

    run(&crew->workers[0]);
    cg__affinity_restore(before);
}

/* Threads inherit the affinity of the one that makes them, so all are made before the first
 * worker is pinned. */
static ssize_t run_crew(struct cg__crew *crew)
{
    unsigned threads = 1;
    int rc = make_workers(crew);

    while (rc == 0 && threads < crew->count) {
        struct cg_worker *worker = &crew->workers[threads];

        rc = -pthread_create(&worker->thread, NULL, run_thread, worker);
        threads += rc == 0;
    }
    if (rc < 0) {
        tell(crew, &crew->abandoned);
        join(crew, threads);
        for (unsigned k = 0; k < crew->count; k++)
            free_worker(&crew->workers[k]);
        return rc;
    }
    cg__crew_set(crew);
    tell(crew, &crew->opened);
    run_first(crew);
    join(crew, threads);
    return crew->failure;
}

ssize_t cg_crew_main_with(cg_fn *fn, void *arg, const struct cg_crew_options *options)
{
    static atomic_flag taken = ATOMIC_FLAG_INIT;
    struct cg__crew *crew;
    ssize_t rc = -ENOMEM;

    if (cg_coro_self() || atomic_flag_test_and_set(&taken))
        return -EBUSY;
    if ((crew = make_crew(fn, arg, options))) {
        rc = run_crew(crew);
        pthread_cond_destroy(&crew->changed);
        pthread_mutex_destroy(&crew->lock);
        free(crew);
    }
    atomic_flag_clear(&taken);
    return rc;
}
