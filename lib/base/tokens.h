/* SPDX-License-Identifier: MIT */
/* Token buckets as arithmetic, without a clock and without waiting. A bucket is one number, the
 * moment at which it will be full. Taking tokens moves that into the future, by their time at
 * the bucket's rate; the rounding is up, so that the rate is never exceeded. */
#ifndef COGEN_LIB_BASE_TOKENS_H
#define COGEN_LIB_BASE_TOKENS_H

#include <cogen/base.h>

#include <stdbool.h>
#include <stdint.h>

/* What all buckets of a kind have in common. A burst times a second must stay below 2^63. */
struct cg__tokens {
    uint64_t rate;  /* tokens a second, at least 1 */
    uint64_t burst; /* the most that a bucket holds */
};

/* x * y / z, rounded down or up. Nothing overflows: a product is at most that of a burst and a
 * second. */
static inline uint64_t cg__tokens_scaled(uint64_t x, uint64_t y, uint64_t z, bool up)
{
    return (x * y + (up ? z - 1 : 0)) / z;
}

/* The time that tokens take to come, ns. */
static inline int64_t cg__tokens_time(const struct cg__tokens *kind, uint64_t count, bool up)
{
    return (int64_t)cg__tokens_scaled(count, CG_SECOND, kind->rate, up);
}

/* How many tokens there are now. */
static inline uint64_t cg__tokens_level(const struct cg__tokens *kind, int64_t full, int64_t now)
{
    uint64_t lacking = 0;

    if (full > now)
        lacking = cg__tokens_scaled((uint64_t)(full - now), kind->rate, CG_SECOND, true);
    return lacking < kind->burst ? kind->burst - lacking : 0;
}

/* The moment from which on there are so many, at most the burst. */
static inline int64_t cg__tokens_moment(const struct cg__tokens *kind, int64_t full,
                                        uint64_t count)
{
    return full - cg__tokens_time(kind, kind->burst - count, false);
}

/* Takes tokens, which must be there. */
static inline void cg__tokens_take(const struct cg__tokens *kind, int64_t *full, uint64_t count,
                                   int64_t now)
{
    if (*full < now)
        *full = now;
    *full += cg__tokens_time(kind, count, true);
}

/* Puts tokens back; what is more than the burst is lost. Rounded down, so that taking and
 * returning makes no tokens. */
static inline void cg__tokens_return(const struct cg__tokens *kind, int64_t *full,
                                     uint64_t count)
{
    *full -= cg__tokens_time(kind, count < kind->burst ? count : kind->burst, false);
}

#endif
