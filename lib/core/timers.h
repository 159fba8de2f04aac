/* SPDX-License-Identifier: MIT */
/* Timers, exact to the nanosecond; set and cancelled in O(1). See timers.c. */
#ifndef COGEN_LIB_CORE_TIMERS_H
#define COGEN_LIB_CORE_TIMERS_H

#include <cogen/op.h>

enum {
    CG__DIGIT_BITS = 6,
    CG__DIGITS = 1 << CG__DIGIT_BITS,
    CG__LEVELS = 11, /* 11 * 6 = 66 bits are enough for any moment */
};

/* Values of cg_timer.kind: what a timer belongs to. */
enum {
    CG__TIMER_OP,
    CG__TIMER_SCOPE,
    CG__TIMER_ALARM,
};

#define CG__MOMENT_MAX ((INT64_C(1) << 62) - 1)

struct cg__timers {
    uint64_t base;   /* no timer is placed before this moment */
    uint64_t bound;  /* no timer expires before this moment */
    size_t count;
    uint32_t levels; /* bit l: some slot of level l is occupied */
    uint64_t occupied[CG__LEVELS];
    struct cg_timer slots[CG__LEVELS][CG__DIGITS]; /* list heads */
};

/* A timer that calls a function once, from the loop; then the timer is no longer set.
 * `dropped`: it is called because the scheduler is being freed, before the moment. */
struct cg__alarm {
    struct cg_timer timer; /* kind: CG__TIMER_ALARM */
    void (*fn)(struct cg__alarm *alarm, bool dropped);
};

void cg__timers_init(struct cg__timers *timers);

/* Sets a timer that is not set. */
void cg__timers_set(struct cg__timers *timers, struct cg_timer *timer, int64_t moment);

static inline bool cg__timers_is_set(const struct cg_timer *timer)
{
    return timer->next != NULL;
}

/* Cancels a timer. Does nothing if it is not set. */
void cg__timers_cancel(struct cg__timers *timers, struct cg_timer *timer);

/* Removes and returns the next timer that is due: in the order of expiry, and for the same
 * expiry in the order in which they were set. NULL: none is due. */
struct cg_timer *cg__timers_pop(struct cg__timers *timers, int64_t now);

/* A moment before which no timer expires; CG_NEVER if none is set. It may be too early, if
 * the earliest timer was cancelled since the last call. Then the loop wakes once too
 * often. */
int64_t cg__timers_next(struct cg__timers *timers);

#endif
