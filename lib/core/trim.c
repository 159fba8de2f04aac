/* SPDX-License-Identifier: MIT */
/* Deep calls leave touched pages in the stacks of coroutines that may then wait for
 * hours. So every CG__IDLE, if something has run since, and before the loop sleeps, a
 * sweep goes through all coroutines, some a turn. Those that have waited for CG__IDLE
 * get their pages below the stack pointer freed. A switch does no work for this: it
 * notes anyway when a coroutine begins to wait, and that moment also tells whether an
 * earlier sweep has trimmed the coroutine. */
#include "config.h"

#include "lib/core/trim.h"

#include "lib/core/sched.h"

enum {
    LOOKS = 256 /* coroutines examined in a turn */
};

void cg__trim_init(struct cg__trim *idle, int64_t now)
{
    *idle = (struct cg__trim){.done = now - 1, .begun = now, .active = now};
}

/* A few stacks are not worth a wake-up. */
static bool wanted(const struct cg_sched *sched)
{
    return sched->idle.done < sched->idle.active && sched->ready.places > CG__STACK_KEEP;
}

/* The moment of the next sweep. If nothing has run since the last sweep began, it is the
 * moment when the coroutine that ran last has waited for CG__IDLE. */
static int64_t due(const struct cg__trim *idle)
{
    return (idle->active < idle->begun ? idle->active : idle->begun) + CG__IDLE;
}

bool cg__trim_some(struct cg_sched *sched)
{
    struct cg__trim *idle = &sched->idle;
    struct cg_coro *coro;
    int looked = 0, trimmed = 0;

    if (idle->next == NULL) {
        if (!wanted(sched) || sched->now < due(idle))
            return false;
        idle->begun = sched->now;
        idle->until = sched->now - CG__IDLE;
        idle->next = sched->first;
    }
    while ((coro = idle->next)) {
        if (looked++ == LOOKS || trimmed == CG__TRIM)
            return true;
        idle->next = coro->next;
        if (coro->since > idle->done && coro->since <= idle->until &&
            coro->state == CG_CORO_WAITING) {
            cg__stack_shrink(sched->stacks, coro->stack_low, coro->ctx.sp, coro);
            trimmed++;
        }
    }
    idle->done = idle->until;
    return false;
}

int64_t cg__trim_next(const struct cg_sched *sched)
{
    int64_t next = due(&sched->idle) - sched->now;

    if (!wanted(sched))
        return CG_NEVER;
    return next > 0 ? next : 0;
}
