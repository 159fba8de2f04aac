/* SPDX-License-Identifier: MIT */
/* Deep calls leave touched pages in the stacks of coroutines that may then wait for
 * hours. So every CG__IDLE, if something has run since, and before the loop sleeps, a
 * sweep goes through all coroutines, some a turn. Those that have waited for CG__IDLE
 * get their pages below the stack pointer freed. A switch does no work for this: it
 * notes anyway when a coroutine begins to wait, and that moment also tells whether an
 * earlier sweep has trimmed the coroutine. At its end a sweep also returns what a burst has
 * left in the pools: stacks, and input buffers. */
#include "config.h"

#include "lib/core/trim.h"

#include "lib/core/sched.h"

enum {
    LOOKS = 256, /* coroutines examined in a turn */
    FEW = 32,    /* so few stacks, or input buffers, are not worth a wake-up */
};

void cg__trim_init(struct cg__trim *idle, int64_t now)
{
    *idle = (struct cg__trim){.done = now - 1, .begun = now, .active = now};
}

static bool wanted(const struct cg_sched *sched)
{
    const struct cg_reactor *reactor = sched->reactor;
    size_t buffers = reactor->chunks_free - reactor->chunks_cold + reactor->chunks_held;

    return sched->idle.done < sched->idle.active &&
           (sched->ready.places > FEW || buffers > FEW);
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
    cg__stack_pool_trim(sched->stacks, SIZE_MAX, 0);
    cg__chunk_cool(sched->reactor);
    return false;
}

int64_t cg__trim_next(const struct cg_sched *sched)
{
    int64_t next = due(&sched->idle) - sched->now;

    if (!wanted(sched))
        return CG_NEVER;
    return next > 0 ? next : 0;
}
