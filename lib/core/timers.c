/* SPDX-License-Identifier: MIT */
/* A hierarchical timer wheel over the digits (base 64) of a moment. There is a level for
 * each digit, and on each level a slot for each of the digit's 64 values. A timer lies on
 * the level of the highest digit in which its expiry differs from `base`, in the slot of
 * that digit's value. So the lowest occupied slot of the lowest occupied level has the
 * earliest timers. When the first moment of this slot is due, its timers are spread over
 * the levels below. On level 0 all timers of a slot have the same expiry, so they are
 * exact, and in order without sorting.
 *
 * To set or cancel a timer changes one list. A timer is moved at most once per level, and
 * only as its expiry gets near; most timeouts are cancelled long before that. (A binary
 * heap needs log n steps for both, and memory that can run out; a wheel of coarse ticks is
 * neither exact nor in order.) */
#include "config.h"

#include "lib/core/timers.h"

#include <assert.h>

static void list_init(struct cg_timer *head)
{
    head->next = head->prev = head;
}

static void list_append(struct cg_timer *head, struct cg_timer *timer)
{
    timer->prev = head->prev;
    timer->next = head;
    head->prev->next = timer;
    head->prev = timer;
}

static void list_remove(struct cg_timer *timer)
{
    timer->prev->next = timer->next;
    timer->next->prev = timer->prev;
    timer->next = NULL;
}

void cg__timers_init(struct cg__timers *timers)
{
    *timers = (struct cg__timers){.bound = CG_NEVER};
    for (int level = 0; level < CG__LEVELS; level++)
        for (int digit = 0; digit < CG__DIGITS; digit++)
            list_init(&timers->slots[level][digit]);
}

static int level_of(uint64_t base, uint64_t moment)
{
    uint64_t differing = base ^ moment;

    return differing ? (63 - __builtin_clzll(differing)) / CG__DIGIT_BITS : 0;
}

static void place(struct cg__timers *timers, struct cg_timer *timer)
{
    uint64_t moment = timer->expiry > timers->base ? timer->expiry : timers->base;
    int level = level_of(timers->base, moment);
    int digit = moment >> (level * CG__DIGIT_BITS) & (CG__DIGITS - 1);

    list_append(&timers->slots[level][digit], timer);
    timers->occupied[level] |= UINT64_C(1) << digit;
    timers->levels |= 1U << level;
}

/* Marks a slot as empty. */
static void vacate(struct cg__timers *timers, int level, int digit)
{
    timers->occupied[level] &= ~(UINT64_C(1) << digit);
    if (timers->occupied[level] == 0)
        timers->levels &= ~(1U << level);
}

void cg__timers_set(struct cg__timers *timers, struct cg_timer *timer, int64_t moment)
{
    assert(!cg__timers_is_set(timer));
    timer->expiry = moment < 0 ? 0 : moment > CG__MOMENT_MAX ? CG__MOMENT_MAX : moment;
    place(timers, timer);
    timers->count++;
    if (timer->expiry < timers->bound)
        timers->bound = timer->expiry;
}

void cg__timers_cancel(struct cg__timers *timers, struct cg_timer *timer)
{
    if (!cg__timers_is_set(timer))
        return;

    struct cg_timer *head = timer->next;
    bool last = head == timer->prev; /* it is alone in its slot, next to the list's head */

    list_remove(timer);
    timers->count--;
    if (last) {
        size_t slot = head - timers->slots[0];

        vacate(timers, slot / CG__DIGITS, slot % CG__DIGITS);
    }
}

/* The earliest occupied slot and its first moment. */
static struct cg_timer *earliest(const struct cg__timers *timers, int *level, int *digit,
                                 uint64_t *start)
{
    if (timers->levels == 0)
        return NULL;
    *level = __builtin_ctz(timers->levels);
    *digit = __builtin_ctzll(timers->occupied[*level]);

    int shift = *level * CG__DIGIT_BITS;
    int above = shift + CG__DIGIT_BITS;

    *start = above < 64 ? timers->base >> above << above : 0;
    *start |= (uint64_t)*digit << shift;
    return (struct cg_timer *)&timers->slots[*level][*digit];
}

static void spread(struct cg__timers *timers, struct cg_timer *head, int level, int digit)
{
    struct cg_timer *timer = head->next;

    list_init(head);
    vacate(timers, level, digit);
    while (timer != head) {
        struct cg_timer *next = timer->next;

        place(timers, timer);
        timer = next;
    }
}

struct cg_timer *cg__timers_pop(struct cg__timers *timers, int64_t now)
{
    struct cg_timer *head, *timer;
    int level, digit;
    uint64_t start;

    while ((head = earliest(timers, &level, &digit, &start)) && start <= (uint64_t)now) {
        timers->base = start;
        if (level == 0) {
            timer = head->next;
            cg__timers_cancel(timers, timer);
            return timer;
        }
        spread(timers, head, level, digit);
    }
    /* Every occupied slot starts after now, so `base` may advance to now without moving a
     * timer to another slot. */
    if ((uint64_t)now > timers->base)
        timers->base = now;
    return NULL;
}

int64_t cg__timers_next(struct cg__timers *timers)
{
    struct cg_timer *head, *timer;
    int level, digit;
    uint64_t start;

    if (timers->bound > timers->base && timers->count > 0)
        return timers->bound;
    timers->bound = CG_NEVER;
    if ((head = earliest(timers, &level, &digit, &start)))
        for (timer = head->next; timer != head; timer = timer->next)
            if (timer->expiry < timers->bound)
                timers->bound = timer->expiry;
    return timers->bound;
}
