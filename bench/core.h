/* SPDX-License-Identifier: MIT */
/* What the files of bench/core share. */
#ifndef COGEN_BENCH_CORE_H
#define COGEN_BENCH_CORE_H

#include <cogen.h>

/* A figure: a round of n steps answers the ns of one. */
struct figure {
    const char *name;
    double (*round)(long n);
    long n;
};

/* The clock, ns. */
double clock_ns(void);

/* Runs fn(arg) as the first coroutine of a new scheduler, to the end of all: answers how
 * many ns that took. */
double run(cg_fn *fn, void *arg);

/* Memory, or the end of the program. */
void *memory(size_t count, size_t size);

/* The figures of core_growth.c; a NULL name ends them. */
extern const struct figure growth[];

#endif
