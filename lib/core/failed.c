/* SPDX-License-Identifier: MIT */
/* Unnoticed failures: a coroutine that ended with a negative result which nobody joined or
 * read is reported to the program's function, or on stderr. The report is made in the loop,
 * because the last reference is released on some coroutine's stack, which may be small. */
#include "config.h"

#include "lib/core/sched.h"
#include "lib/base/plural.h"
#include "lib/base/report.h"

static void report_left_out(struct cg__failed *failed)
{
    if (failed->left_out)
        cg__report("%zu more coroutine%s failed", failed->left_out,
                   cg__plural(failed->left_out));
    failed->left_out = 0;
}

/* A rate limit: one line a second, and at most CG_FAILED_LINES at once after a pause. */
static bool may_report(struct cg__failed *failed, int64_t now)
{
    int64_t oldest = now - CG_FAILED_LINES * CG_SECOND;

    if (failed->paid < oldest)
        failed->paid = oldest;
    if (failed->paid > now - CG_SECOND)
        return false;
    failed->paid += CG_SECOND;
    return true;
}

static void report(struct cg_coro *coro)
{
    struct cg__failed *failed = &coro->sched->failed;

    if (!may_report(failed, coro->sched->now)) {
        failed->left_out++;
        return;
    }
    report_left_out(failed);
    cg__report("coroutine %s failed: %s", coro->name, cg_strerror(coro->result));
}

/* The coroutine gets a new reference, so that the program's function may take its own. */
static void tell(struct cg__failed *failed, struct cg_coro *coro)
{
    coro->next = NULL;
    coro->refs = 1;
    coro->taken = true;
    if (failed->fn)
        failed->fn(failed->arg, coro);
    else
        report(coro);
    cg_coro_unref(coro);
}

static void tell_all(struct cg_deferred *deferred)
{
    struct cg__failed *failed = (struct cg__failed *)deferred;
    struct cg_coro *coro = failed->first, *next;

    failed->first = NULL;
    failed->last = &failed->first;
    for (; coro; coro = next) {
        next = coro->next;
        tell(failed, coro);
    }
}

void cg__failed_init(struct cg__failed *failed)
{
    failed->deferred.fn = tell_all;
    failed->last = &failed->first;
    failed->paid = INT64_MIN;
}

void cg__failed_put(struct cg_coro *coro)
{
    struct cg__failed *failed = &coro->sched->failed;

    coro->next = NULL;
    *failed->last = coro;
    failed->last = &coro->next;
    cg_sched_defer(coro->sched, &failed->deferred);
}

void cg__failed_end(struct cg_sched *sched)
{
    tell_all(&sched->failed.deferred);
    report_left_out(&sched->failed);
}

void cg_sched_set_failed(struct cg_sched *sched, cg_failed_fn *fn, void *arg)
{
    sched->failed.fn = fn;
    sched->failed.arg = arg;
}
