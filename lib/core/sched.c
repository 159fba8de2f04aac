/* SPDX-License-Identifier: MIT */
/* The scheduler: the ready queue, the turn, and the end of a run. */
#include "config.h"

#include "lib/core/sched.h"

#include "lib/base/moment.h"
#include "lib/base/report.h"
#include "lib/base/sigpipe.h"
#include "lib/core/debug.h"
#include "lib/core/op.h"
#include "lib/core/registry.h"
#include "lib/core/scope.h"
#include "lib/stacks/kept_stacks.h"
#include "lib/stacks/overflow.h"
#include "lib/stacks/thread_stacks.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* Reading the clock is not cheap, so it is read after 8, 16 and 32 resumptions. The turn
 * ends if as many resumptions again would exceed CG__TURN_LENGTH. */
void cg__sched_watch(struct cg_sched *sched)
{
    if (sched->ran < sched->most &&
        (cg__sched_clock(sched) - sched->now) * 2 > CG__TURN_LENGTH)
        sched->most = sched->ran; /* this one is the last */
}

void cg__sched_choose(struct cg_sched *sched)
{
    if (sched->order)
        cg__order_choose(sched->order, &sched->ready);
    if (sched->observe && cg__observe_coros(sched->observe))
        cg__observe_resumes(sched);
}

static void run_ready(struct cg_sched *sched)
{
    struct cg_coro *coro;

    sched->ran = 0;
    sched->most = CG__TURN_RESUMPTIONS;
    if (!cg__ready_empty(&sched->ready))
        sched->idle.active = sched->now;
    while ((coro = cg__sched_next(sched))) {
        cg__coro_self = coro;
        sched->left_fn = NULL;
        cg__context_switch(&sched->ctx, cg__coro_context(coro));
        cg__sched_bury(sched);
    }
}

static void expire(struct cg_sched *sched)
{
    struct cg_timer *timer;

    while ((timer = cg__timers_pop(&sched->timers, sched->now))) {
        if (timer->kind == CG__TIMER_OP)
            cg__op_cancel((struct cg_op *)((char *)timer - offsetof(struct cg_op, timer)),
                          -ETIMEDOUT);
        else if (timer->kind == CG__TIMER_ALARM)
            ((struct cg__alarm *)timer)->fn((struct cg__alarm *)timer, false);
        else
            cg__scope_end(
                (struct cg_scope *)((char *)timer - offsetof(struct cg_scope, timer)),
                -ETIMEDOUT);
    }
}

void cg_sched_defer(struct cg_sched *sched, struct cg_deferred *deferred)
{
    if (deferred->queued)
        return;
    deferred->queued = true;
    deferred->next = NULL;
    *sched->deferred_tail = deferred;
    sched->deferred_tail = &deferred->next;
}

/* Calls what is queued now. Calls that are deferred meanwhile wait for the next turn. */
static void run_deferred(struct cg_sched *sched)
{
    struct cg_deferred *deferred = sched->deferred, *next;

    sched->deferred = NULL;
    sched->deferred_tail = &sched->deferred;
    for (; deferred; deferred = next) {
        next = deferred->next;
        deferred->queued = false;
        deferred->fn(deferred);
    }
}

/* The scheduler is being freed: drops the alarms and the deferred calls that have something
 * to free. */
static void drop_calls(struct cg_sched *sched)
{
    struct cg_deferred *deferred = sched->deferred, *next;
    struct cg_timer *timer;

    while ((timer = cg__timers_pop(&sched->timers, CG__MOMENT_MAX)))
        if (timer->kind == CG__TIMER_ALARM)
            ((struct cg__alarm *)timer)->fn((struct cg__alarm *)timer, true);
    sched->deferred = NULL;
    sched->deferred_tail = &sched->deferred;
    for (; deferred; deferred = next) {
        next = deferred->next;
        if (deferred->droppable)
            ((struct cg__call *)deferred)->drop((struct cg__call *)deferred);
    }
}

static void cancel_all(struct cg_sched *sched)
{
    sched->stopping = sched->stopped = true;
    sched->grace_end = cg__moment_after(sched->now, sched->options.grace);
    for (struct cg_coro *coro = sched->first; coro; coro = coro->next)
        cg__scope_end(&coro->base, -ECANCELED);
}

/* Whether there is work that depends on neither the reactor nor the clock. */
static bool busy(struct cg_sched *sched)
{
    return !cg__ready_empty(&sched->ready) || sched->deferred || atomic_load(&sched->posts) ||
           atomic_load(&sched->stops) > sched->stopping;
}

/* Whether the run goes on: there is something to run or to wait for. */
static bool alive(struct cg_sched *sched)
{
    if (sched->stopping &&
        ((sched->count == 0 && sched->holds == 0) || sched->now >= sched->grace_end ||
         atomic_load(&sched->stops) > 1))
        return false;
    return busy(sched) || sched->holds || sched->timers.count;
}

int64_t cg_sched_timeout(struct cg_sched *sched)
{
    int64_t next, now;

    if (busy(sched))
        return 0;
    next = cg__timers_next(&sched->timers);
    if (next == CG_NEVER && !sched->stopping && !sched->reactor->due)
        return CG_NEVER;
    now = cg__sched_clock(sched);
    if (next > now && next < CG_NEVER - sched->slack)
        next += sched->slack;
    if (sched->stopping && sched->grace_end < next)
        next = sched->grace_end;
    if (sched->reactor->due && sched->reactor->due < next)
        next = sched->reactor->due;
    if (next == CG_NEVER)
        return CG_NEVER;
    return next > now ? next - now : 0;
}

int cg_sched_set_slack(struct cg_sched *sched, int64_t slack)
{
    if (slack < 0 || slack > CG_SECOND)
        return -EINVAL;
    sched->slack = slack;
    return 0;
}

/* Without a hold nobody waits for the reactor, and one system call a turn would be
 * expensive for coroutines that only deal with each other. So the reactor is polled once
 * in several turns. */
static int look(struct cg_sched *sched, int64_t timeout)
{
    if (timeout == 0 && sched->holds == 0 && sched->unlooked < CG__TURNS_UNLOOKED) {
        sched->unlooked++;
        return 0;
    }
    sched->unlooked = 0;
    return sched->reactor->type->wait(sched->reactor, timeout);
}

/* Before a sleep: trims stacks, some a turn, while there is nothing else to do. Returns how
 * long to sleep, ns. */
static int64_t before_sleep(struct cg_sched *sched, int64_t timeout)
{
    int64_t next;

    if (cg__stack_pool_trim(sched->stacks, CG__TRIM, CG__STACK_KEEP) == CG__TRIM ||
        cg__thread_stacks_trim(CG__TRIM) == CG__TRIM || cg__trim_some(sched))
        return 0;
    next = cg__trim_next(sched);
    return next < timeout ? next : timeout;
}

/* Before the reactor waits: notices that this is a child made by fork(), perhaps by a
 * coroutine of this turn. The threads of the parent will not post anything here. */
static void notice_fork(struct cg_sched *sched)
{
    unsigned forks = cg__fork_count();

    if (sched->left_at == forks)
        return;
    sched->left_at = forks;
    for (int place = 0; place < CG__PARTS; place++)
        if (sched->parts[place] && sched->parts[place]->forked)
            sched->parts[place]->forked(sched->parts[place], sched);
    for (struct cg_kept *kept = sched->kept; kept; kept = kept->next)
        if (kept->forked)
            kept->forked(kept);
    cg__post_forked(sched);
}

/* The sim reactor has reported that nothing will ever happen in its world: only a thread
 * can still post something. */
static bool wait_for_threads(struct cg_sched *sched)
{
    for (int place = 0; place < CG__PARTS; place++) {
        struct cg__part *part = sched->parts[place];

        if (part && part->wait && part->wait(part, sched))
            return true;
    }
    return false;
}

/* One turn: timers, deferred calls, posts, ready coroutines; the reactor last, so that
 * their requests are submitted. Returns 1, or 0 when the run ends, or a negative code. */
static int turn(struct cg_sched *sched, int64_t timeout)
{
    int64_t limit;
    int rc;

    atomic_store_explicit(&sched->forks, cg__fork_count(), memory_order_relaxed);
    if (atomic_load(&sched->stops) && !sched->stopping)
        cancel_all(sched);
    expire(sched);
    run_deferred(sched);
    cg__post_run_all(sched);
    run_ready(sched);
    notice_fork(sched);
    if (!alive(sched))
        return 0;
    limit = cg_sched_timeout(sched);
    if (limit < timeout)
        timeout = limit;
    if (timeout > 0)
        timeout = before_sleep(sched, timeout);
    rc = look(sched, timeout);
    sched->now = cg__sched_clock(sched);
    if (rc == -EDEADLK)
        return busy(sched) || wait_for_threads(sched);
    return rc < 0 ? rc : alive(sched);
}

/* A scheduler belongs to the thread that first runs it. A run that is refused binds nothing. */
static int enter(struct cg_sched *sched)
{
    if (sched->bound && !pthread_equal(sched->thread, pthread_self()))
        return -EPERM;
    if (sched->running || cg__coro_self)
        return -EBUSY;
    if (!sched->bound) {
        sched->thread = pthread_self();
        sched->bound = true;
        cg__observe_binds(sched);
        cg__overflow_watch(cg__coro_suspect);
    }
    sched->running = true;
    cg__context_adopt(&sched->ctx); /* each time: the caller may be a generator */
    sched->now = cg__sched_clock(sched);
    return 0;
}

static void leave(struct cg_sched *sched, bool ended)
{
    sched->running = false;
    if (ended && sched->stopping) {
        sched->stopping = false;
        atomic_store(&sched->stops, 0);
    }
}

int cg_sched_step(struct cg_sched *sched, int64_t timeout)
{
    int rc = enter(sched);

    if (rc < 0)
        return rc;
    sched->unlooked = CG__TURNS_UNLOOKED; /* polls the reactor in this turn */
    sched->reactor->stepped = true;
    /* No sleep if there is work now: the work may be all that the caller waits for. */
    rc = turn(sched, cg_sched_timeout(sched) == 0 ? 0 : timeout);
    sched->unlooked = CG__TURNS_UNLOOKED;
    if (rc > 0 && cg_sched_timeout(sched) == 0)
        rc = turn(sched, 0); /* runs what was woken */
    leave(sched, rc <= 0);
    return rc;
}

ssize_t cg_sched_run(struct cg_sched *sched)
{
    int rc = enter(sched);

    if (rc < 0)
        return rc;
    sched->stopped = false;
    sched->reactor->stepped = false;
    cg__sigpipe_run_begins();
    while ((rc = turn(sched, CG_NEVER)) > 0)
        continue;
    cg__sigpipe_run_ends();
    leave(sched, true);
    return rc < 0 ? rc : (ssize_t)sched->count;
}

void cg_sched_stop(struct cg_sched *sched)
{
    cg__post_enter(sched); /* the run may end before the wake */
    atomic_fetch_add(&sched->stops, 1);
    sched->reactor->type->wake(sched->reactor);
    cg__post_leave(sched);
}

bool cg_sched_stopped(const struct cg_sched *sched)
{
    return sched->stopped;
}

struct cg_sched *cg_sched_new_with(struct cg_reactor *reactor,
                                   const struct cg_sched_options *options)
{
    struct cg_sched *sched = calloc(1, sizeof *sched);

    if (sched == NULL)
        return NULL;
    sched->stacks = reactor->simulated ? cg__kept_stacks_take() : cg__stack_pool_new();
    if (sched->stacks == NULL ||
        (reactor->order != NULL &&
         (sched->order = cg__order_new(reactor->order)) == NULL)) {
        free(sched->order);
        cg__stack_pool_free(sched->stacks);
        free(sched);
        return NULL;
    }
    sched->unusual = sched->order != NULL;
    sched->reactor = reactor;
    reactor->sched = sched;
    sched->forks = sched->left_at = cg__fork_watch();
    cg__ready_init(&sched->ready);
    sched->deferred_tail = &sched->deferred;
    sched->now = cg__sched_clock(sched);
    if (options)
        sched->options = *options;
    if (sched->options.grace == 0)
        sched->options.grace = CG__GRACE;
    if (sched->options.stack_size == 0)
        sched->options.stack_size = CG__STACK_DEFAULT;
    if (sched->options.prio == CG_PRIO_DEFAULT)
        sched->options.prio = CG_PRIO_LAST;
    sched->ended_tail = &sched->ended;
    cg__trim_init(&sched->idle, sched->now);
    cg__timers_init(&sched->timers);
    cg__failed_init(&sched->failed);
    /* Last, since other threads and signal handlers find what is registered. */
    if (cg__debug_begin(sched) < 0 || cg__observers_begin(sched) < 0 ||
        cg__registry_add(sched) < 0) {
        cg_sched_free(sched);
        return NULL;
    }
    return sched;
}

void cg__sched_end(struct cg_sched *sched)
{
    if (sched->first || sched->holds || sched->deferred) { /* sockets that close */
        atomic_store(&sched->stops, 1);
        cg_sched_run(sched);
    }
}

void cg_sched_free(struct cg_sched *sched)
{
    struct cg_kept *kept;

    if (sched == NULL)
        return;
    assert(!sched->running); /* not from within its own run */
    if (!atomic_load(&sched->refuses))
        cg__sched_end(sched);
    for (struct cg_coro *coro = sched->first; coro; coro = coro->next) {
        cg__report("coroutine %s abandoned", coro->name);
        cg__context_drop(&coro->ctx);
    }
    while ((kept = sched->kept)) { /* before the posts, which its threads may have sent */
        sched->kept = kept->next;
        kept->free(kept);
    }
    for (int place = 0; place < CG__PARTS; place++)
        if (sched->parts[place] && sched->parts[place]->drop)
            sched->parts[place]->drop(sched->parts[place], sched);
    if (sched->left_at != cg__fork_count())
        cg__post_forked(sched);
    cg__registry_remove(sched);
    cg__post_wait_until_left(sched);
    cg__post_drop_all(sched);
    drop_calls(sched);
    cg__failed_end(sched);
    for (int place = 0; place < CG__PARTS; place++)
        if (sched->parts[place])
            sched->parts[place]->free(sched->parts[place]);
    cg__debug_end(sched);
    cg__ready_free(&sched->ready);
    cg__observe_end(sched);
    free(sched->order);
    if (sched->reactor->simulated)
        cg__kept_stacks_give(sched->stacks);
    else
        cg__stack_pool_free(sched->stacks);
    if (sched->reactor->sched == sched)
        sched->reactor->sched = NULL;
    free(sched);
}

int cg_sched_start_with(struct cg_sched *sched, cg_fn *fn, void *arg,
                        const struct cg_coro_options *options)
{
    static const struct cg_coro_options none;
    struct cg_coro *coro;

    if (options == NULL)
        options = &none;
    if (fn == NULL)
        return -EINVAL;
    coro = cg__coro_new(sched, fn, arg, options->name, options->stack_size,
                        options->prio & CG_PRIO_OP);
    if (coro == NULL)
        return -ENOMEM;
    if (options->coro)
        *options->coro = cg_coro_ref(coro);
    return 0;
}

int cg_sched_fd(struct cg_sched *sched)
{
    sched->reactor->embedded = true;
    return sched->reactor->fd >= 0 ? sched->reactor->fd : -EOPNOTSUPP;
}

void cg_sched_hold(struct cg_sched *sched)
{
    sched->holds++;
}

void cg_sched_unhold(struct cg_sched *sched)
{
    assert(sched->holds > 0);
    sched->holds--;
}

int64_t cg_sched_now(const struct cg_sched *sched)
{
    return sched->now;
}

struct cg_reactor *cg_sched_reactor(const struct cg_sched *sched)
{
    return sched->reactor;
}

void cg_sched_keep(struct cg_sched *sched, struct cg_kept *kept)
{
    kept->next = sched->kept;
    sched->kept = kept;
}

struct cg_kept *cg_sched_kept(const struct cg_sched *sched, const void *key)
{
    struct cg_kept *kept = sched->kept;

    while (kept && kept->key != key)
        kept = kept->next;
    return kept;
}
