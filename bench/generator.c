/* SPDX-License-Identifier: MIT */
/* Compares the cost of generators with that of a call through a pointer: prints "name
 * value unit", the median of nine rounds for each figure.
 *     bench/generator */
#include <cogen.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    ROUNDS = 9,
    N = 1000000
};

static double clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(const char *name, long n, void (*round)(long n))
{
    double costs[ROUNDS], start;

    for (int i = 0; i < ROUNDS; i++) {
        start = clock_ns();
        round(n);
        costs[i] = (clock_ns() - start) / n;
    }
    qsort(costs, ROUNDS, sizeof costs[0], ascending);
    printf("%s %.1f ns\n", name, costs[ROUNDS / 2]);
}

static void check(bool right)
{
    if (!right) {
        fprintf(stderr, "generator: a wrong value\n");
        exit(1);
    }
}

static ssize_t nothing(struct cg_gen *gen, void *arg)
{
    (void)gen, (void)arg;
    return 0;
}

static void create_and_finish(long n)
{
    while (n-- > 0) {
        struct cg_gen *gen = cg_gen_new(nothing, NULL);

        check(gen && cg_gen_next(gen, NULL) == 0);
        cg_gen_free(gen);
    }
}

static ssize_t forever(struct cg_gen *gen, void *arg)
{
    intptr_t total = 0, in;
    ssize_t how;

    (void)arg;
    while ((how = cg_gen_yield(gen, total, &in)) >= 0)
        total += how ? in : 1;
    return how;
}

static void create_and_close(long n)
{
    while (n-- > 0) {
        struct cg_gen *gen = cg_gen_new(forever, NULL);

        check(gen && cg_gen_next(gen, NULL) == 1);
        check(cg_gen_free(gen) == 0);
    }
}

static void next_value(long n)
{
    struct cg_gen *gen = cg_gen_new(forever, NULL);
    intptr_t total = 0;

    for (long i = 0; i <= n; i++)
        check(cg_gen_next(gen, &total) == 1);
    check(total == n);
    cg_gen_free(gen);
}

static void send_value(long n)
{
    struct cg_gen *gen = cg_gen_new(forever, NULL);
    intptr_t total = 0;

    cg_gen_next(gen, NULL);
    for (long i = 0; i < n; i++)
        check(cg_gen_send(gen, 2, &total) == 1);
    check(total == 2 * n);
    cg_gen_free(gen);
}

static ssize_t outer(struct cg_gen *gen, void *arg)
{
    struct cg_gen *sub = cg_gen_new(forever, arg);
    ssize_t result = cg_gen_from(gen, sub);

    cg_gen_free(sub);
    return result;
}

static void next_through_from(long n)
{
    struct cg_gen *gen = cg_gen_new(outer, NULL);

    for (long i = 0; i < n; i++)
        check(cg_gen_next(gen, NULL) == 1);
    cg_gen_free(gen);
}

/* Resumes many generators in turn, as many as the Game of Life has cells. */
static void next_among(long n)
{
    enum {
        CELLS = 10000
    };
    static struct cg_gen *gens[CELLS];

    for (int i = 0; i < CELLS; i++)
        check((gens[i] = cg_gen_new(forever, NULL)) != NULL);
    for (long i = 0; i < n; i++)
        check(cg_gen_next(gens[i % CELLS], NULL) == 1);
    for (int i = 0; i < CELLS; i++)
        cg_gen_free(gens[i]);
}

static intptr_t total;

static intptr_t add(intptr_t n)
{
    return total += n;
}

static intptr_t (*volatile through)(intptr_t n) = add;

static void call(long n)
{
    total = 0;
    for (long i = 0; i < n; i++)
        through(1);
    check(total == n);
}

int main(void)
{
    report("call", N, call);
    report("next", N, next_value);
    report("send", N, send_value);
    report("next_through_from", N, next_through_from);
    report("next_among_10000", N, next_among);
    report("create_and_finish", N / 4, create_and_finish);
    report("create_and_close", N / 4, create_and_close);
    return 0;
}
