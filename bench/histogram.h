/* SPDX-License-Identifier: MIT */
/* A histogram of latencies, exact to 1.6 %: 64 steps for each power of two. So a
 * percentile needs no list of all latencies. */
#ifndef COGEN_BENCH_HISTOGRAM_H
#define COGEN_BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_BITS = 6,
    HISTOGRAM_STEPS = 1 << HISTOGRAM_BITS,
    HISTOGRAM_SIZE = (65 - HISTOGRAM_BITS) * HISTOGRAM_STEPS,
};

struct histogram {
    uint64_t count, counts[HISTOGRAM_SIZE];
};

/* The place of a value: below 64 each value has its own; above, the highest seven bits and
 * the number of bits decide. */
static inline int histogram_place(uint64_t value)
{
    int power = 63 - __builtin_clzll(value | HISTOGRAM_STEPS) - HISTOGRAM_BITS;

    return power * HISTOGRAM_STEPS + (int)(value >> power);
}

static inline void histogram_add(struct histogram *h, uint64_t value)
{
    h->count++;
    h->counts[histogram_place(value)]++;
}

/* The value below or at which `part` (0 to 1) of all latencies are. */
static inline double histogram_at(const struct histogram *h, double part)
{
    uint64_t wanted = (uint64_t)(part * (double)h->count), seen = 0;

    for (int i = 0; i < HISTOGRAM_SIZE; i++)
        if ((seen += h->counts[i]) > wanted) {
            int power = i < 2 * HISTOGRAM_STEPS ? 0 : i / HISTOGRAM_STEPS - 1;

            return (double)((uint64_t)(i - power * HISTOGRAM_STEPS + 1) << power);
        }
    return 0;
}

#endif
