/* SPDX-License-Identifier: MIT */
/* cg_crew_main: a run on several threads. It is in this folder because lib/ knows no
 * backend. All workers wait for each other three times: until everything is made, until no
 * worker has anything to do, and until all runs have ended. So while a coroutine runs
 * anywhere, every scheduler exists, and any thread may post to it. */
#include "config.h"

#include "lib/base/affinity.h"
#include "lib/base/report.h"
#include "lib/insight/dump_signal.h"
#include "lib/insight/dump_writer.h"
#include "lib/threads/crew.h"
#include "lib/threads/spread.h"
#include "reactors/main.h"
#include "reactors/sim/sim.h"

#include <cogen/reactor.h>

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

/* Whether something has been posted to a resting worker, or it has been stopped, and it has
 * not noticed yet. */
static bool is_called(const struct cg_worker *worker)
{
    return worker->resting &&
           (atomic_load(&worker->sched->posts) || atomic_load(&worker->sched->stops));
}

/* Only a busy worker, or a thread that the program must hold the run open for, can have
 * called it. */
static struct cg_worker *find_called(struct cg__crew *crew)
{
    for (unsigned k = 0; k < crew->count; k++)
        if (is_called(&crew->workers[k]))
            return &crew->workers[k];
    return NULL;
}

/* Called when a worker has nothing to do. If no worker has, all end. But the last one to
 * retire may have called a worker that has not noticed it yet: then that one is busy in its
 * place. Under the crew's lock. */
static void retire(struct cg_worker *worker)
{
    struct cg__crew *crew = worker->crew;
    struct cg_worker *other;

    if (crew->busy > 1) {
        crew->busy--;
    } else if ((other = find_called(crew))) {
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
    if (crew->busy > 0 && is_called(worker)) {
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
        if (rc < 0 && rc != -EDEADLK) /* that tells the workers that do not rest */
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

/* Runs in the worker's thread, from the first turn to the last. */
static ssize_t run(void *arg)
{
    struct cg_worker *worker = arg;
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
        left = left < 0 ? left : rc;
        if (worker->crew->count == 1) /* otherwise fail tells it */
            cg__main_tell(left);
        fail(worker, left);
    }
    cg__run_on_refuse(worker);
    return 0;
}

static void run_to_the_end(struct cg_worker *worker)
{
    run(worker);
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
    run_to_the_end(worker);
    return NULL;
}

static bool is_sim(const char *name)
{
    if (name == NULL)
        name = getenv("COGEN_REACTOR");
    return name && strcmp(name, "sim") == 0;
}

/* Reports a code if it is negative, and returns it. */
static int told(int code)
{
    if (code < 0)
        cg__main_tell(code);
    return code;
}

static int open_reactor(struct cg_worker *worker)
{
    const char *name = worker->crew->options.reactor;
    int rc;

    if (worker->crew->world)
        return told(cg_sim_host(worker->crew->world, &worker->reactor));
    if ((rc = cg_reactor_open(name, &worker->reactor)) < 0)
        cg__main_tell_why_none(name, rc);
    return rc;
}

static int make_worker(struct cg_worker *worker)
{
    const struct cg_crew_options *options = &worker->crew->options;
    int rc = open_reactor(worker);

    if (rc < 0)
        return rc;
    worker->sched = cg_sched_new(worker->reactor, .grace = options->grace,
                                 .timeout = options->timeout,
                                 .stack_size = options->stack_size,
                                 .debug = options->debug,
                                 .hog = options->hog, .metrics = options->metrics,
                                 .trace = options->trace);
    if (worker->sched == NULL)
        return told(-ENOMEM);
    worker->sched->worker = worker;
    return told(cg_sched_start(worker->sched, work, worker, .name = worker->name,
                               .coro = &worker->coro));
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

/* A world that the crew opens itself may be woken by other threads. */
static int make_workers(struct cg__crew *crew)
{
    int rc = 0;

    crew->world = crew->options.world;
    if (crew->world == NULL && is_sim(crew->options.reactor))
        rc = told(cg_sim_open(&(struct cg_sim_options){.threads = true}, &crew->world));
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

    run_to_the_end(&crew->workers[0]);
    cg__affinity_restore(before);
}

static void free_workers(struct cg__crew *crew)
{
    for (unsigned k = 0; k < crew->count; k++)
        free_worker(&crew->workers[k]);
}

/* Simulated workers need no threads, and cg_sim_run returns when all have ended. */
static ssize_t run_simulated(struct cg__crew *crew)
{
    ssize_t rc;

    for (unsigned k = 0; k < crew->count; k++)
        cg__sim_start(crew->workers[k].reactor, run, &crew->workers[k]);
    crew->opened = true;
    cg__crew_set(crew);
    rc = cg_sim_run(crew->world);
    cg__crew_set(NULL);
    crew->abandoned = rc < 0;
    free_workers(crew);
    return rc < 0 ? rc : crew->failure;
}

/* Threads inherit the affinity of the one that makes them, so all are made before the first
 * worker is pinned. */
static ssize_t run_threads(struct cg__crew *crew)
{
    unsigned threads = 1;
    int rc = 0;

    while (rc == 0 && threads < crew->count) {
        struct cg_worker *worker = &crew->workers[threads];

        rc = told(-pthread_create(&worker->thread, NULL, run_thread, worker));
        threads += rc == 0;
    }
    if (rc < 0) {
        tell(crew, &crew->abandoned);
        join(crew, threads);
        free_workers(crew);
        return rc;
    }
    cg__crew_set(crew);
    tell(crew, &crew->opened);
    run_first(crew);
    join(crew, threads);
    return crew->failure;
}

static ssize_t run_crew(struct cg__crew *crew)
{
    ssize_t rc = make_workers(crew);

    if (rc < 0) {
        crew->abandoned = true;
        free_workers(crew);
    } else {
        rc = crew->world ? run_simulated(crew) : run_threads(crew);
    }
    if (crew->world != crew->options.world)
        cg_reactor_close(crew->world);
    return rc;
}

ssize_t cg_crew_main_with(cg_fn *fn, void *arg, const struct cg_crew_options *options)
{
    static atomic_flag taken = ATOMIC_FLAG_INIT;
    struct cg__crew *crew;
    ssize_t rc = -ENOMEM;

    if (cg_coro_self() || atomic_flag_test_and_set(&taken))
        return -EBUSY;
    cg__dump_signal_install();
    if ((crew = make_crew(fn, arg, options))) {
        rc = run_crew(crew);
        cg__spread_free_all(crew);
        pthread_cond_destroy(&crew->changed);
        pthread_mutex_destroy(&crew->lock);
        free(crew);
    } else {
        cg__main_tell(rc);
    }
    cg__dump_writer_finish();
    atomic_flag_clear(&taken);
    return rc;
}
