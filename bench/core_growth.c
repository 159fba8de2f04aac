/* SPDX-License-Identifier: MIT */
/* Measures the cost of one timer and of one name among many others: for the same one each
 * time, and for random ones, whose memory is in no cache. Timers are spread over an hour.
 * No coroutine is involved. */
#include "config.h"

#include "bench/core.h"
#include "lib/vocabulary/names.h"
#include "lib/core/timers.h"

#include <stdlib.h>

enum { TIMES = 1000000 };

static uint64_t random_word(void)
{
    static uint64_t x = UINT64_C(88172645463325252);

    x ^= x << 13;
    x ^= x >> 7;
    return x ^= x << 17;
}

/* Draws TIMES random numbers below n in advance, so that drawing is not measured. */
static uint32_t *draw(long n)
{
    uint32_t *which = memory(TIMES, sizeof *which);

    for (int i = 0; i < TIMES; i++)
        which[i] = random_word() % n;
    return which;
}

static struct cg__timers *timers_among(struct cg_timer *others, long n)
{
    struct cg__timers *timers = memory(1, sizeof *timers);

    cg__timers_init(timers);
    for (long i = 0; i < n; i++)
        cg__timers_set(timers, &others[i], random_word() % CG_HOUR);
    return timers;
}

static double timer_set_and_cancel(long n)
{
    struct cg_timer *others = memory(n, sizeof *others), one = {0};
    struct cg__timers *timers = timers_among(others, n);
    double start = clock_ns();

    for (int i = 0; i < TIMES; i++) {
        cg__timers_set(timers, &one, 30 * CG_SECOND + i);
        cg__timers_cancel(timers, &one);
    }
    start = clock_ns() - start;
    free(others);
    free(timers);
    return start / TIMES;
}

/* Cancels a random timer, and sets it again to a random moment. */
static double timer_random(long n)
{
    struct cg_timer *others = memory(n, sizeof *others);
    struct cg__timers *timers = timers_among(others, n);
    uint32_t *which = draw(n), *moments = draw(CG_HOUR / CG_MICROSECOND);
    double start = clock_ns();

    for (int i = 0; i < TIMES; i++) {
        cg__timers_cancel(timers, &others[which[i]]);
        cg__timers_set(timers, &others[which[i]], moments[i] * CG_MICROSECOND);
    }
    start = clock_ns() - start;
    free(moments);
    free(which);
    free(others);
    free(timers);
    return start / TIMES;
}

/* Lets all timers fire. */
static double timer_fire(long n)
{
    struct cg_timer *others = memory(n, sizeof *others);
    struct cg__timers *timers = timers_among(others, n);
    int64_t moment;
    double start = clock_ns();

    while ((moment = cg__timers_next(timers)) != CG_NEVER)
        while (cg__timers_pop(timers, moment))
            continue;
    start = clock_ns() - start;
    free(others);
    free(timers);
    return start / n;
}

/* Changes the table of names as a signal and the next wait would. */
static double name_random(long n)
{
    struct cg_named *all = memory(n, sizeof *all), *named;
    struct cg__hash_key key;
    struct cg__names names;
    uint32_t *which = draw(n);
    double start;

    cg__hash_key_init(&key);
    cg__names_init(&names, &key);
    for (long i = 0; i < n; i++) {
        all[i].name = cg_name(i);
        cg__names_add(&names, &all[i]);
    }
    start = clock_ns();
    for (int i = 0; i < TIMES; i++) {
        named = cg__names_find(&names, cg_name((long)which[i]));
        cg__names_remove(&names, named);
        cg__names_add(&names, named);
    }
    start = clock_ns() - start;
    cg__names_free(&names);
    free(which);
    free(all);
    return start / TIMES;
}

const struct figure growth[] = {
    {"timer_set_and_cancel_among_1000", timer_set_and_cancel, 1000},
    {"timer_set_and_cancel_among_10000", timer_set_and_cancel, 10000},
    {"timer_set_and_cancel_among_100000", timer_set_and_cancel, 100000},
    {"timer_set_and_cancel_among_1000000", timer_set_and_cancel, 1000000},
    {"timer_random_among_1000", timer_random, 1000},
    {"timer_random_among_10000", timer_random, 10000},
    {"timer_random_among_100000", timer_random, 100000},
    {"timer_random_among_1000000", timer_random, 1000000},
    {"timer_fire_of_1000", timer_fire, 1000},
    {"timer_fire_of_10000", timer_fire, 10000},
    {"timer_fire_of_100000", timer_fire, 100000},
    {"timer_fire_of_1000000", timer_fire, 1000000},
    {"name_random_among_1000", name_random, 1000},
    {"name_random_among_10000", name_random, 10000},
    {"name_random_among_100000", name_random, 100000},
    {"name_random_among_1000000", name_random, 1000000},
    {NULL, NULL, 0},
};
