/* SPDX-License-Identifier: MIT */
/* Shared by the sources of bench/core. */
#ifndef COGEN_BENCH_CORE_H
#define COGEN_BENCH_CORE_H

#include <cogen.h>

/* A figure: round(n) makes n steps and returns the ns of one. */
struct figure {
    const char *name;
    double (*round)(long n);
    long n;
};

/* The clock, ns. */
double clock_ns(void);

/* Runs fn(arg) as the first coroutine of a new scheduler, until all coroutines have ended.
 * Returns the time in ns. */
double run(cg_fn *fn, void *arg);

/* Like calloc, but exits if there is no memory. */
void *memory(size_t count, size_t size);

/* The figures of core_growth.c; a NULL name ends them. */
extern const struct figure growth[];

#endif
