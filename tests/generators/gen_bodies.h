/* SPDX-License-Identifier: MIT */
/* Bodies of generators for several tests, and a function that takes their values. */
#ifndef COGEN_TESTS_GENERATORS_GEN_BODIES_H
#define COGEN_TESTS_GENERATORS_GEN_BODIES_H

#include "tests/support/support.h"

struct cg_gen *gen_make(cg_gen_fn *fn, void *arg);

/* Returns the next value; the case fails if there is none. */
intptr_t gen_value(struct cg_gen *gen);

/* Yields 0, 1, ... below the int that `arg` points to; its result is ten times that
 * int. */
ssize_t gen_range(struct cg_gen *gen, void *arg);

/* The example of a Python text: a value that is sent shifts the sequence; next sends
 * none. */
ssize_t gen_jumps(struct cg_gen *gen, void *arg);

/* Logs what each yield returns; `arg` is a struct gen_log. */
struct gen_log {
    ssize_t seen[4];
    int n;
    ssize_t result;  /* what the body returns; 1: what its last yield returned */
    int yields_more; /* how often it yields after it was told to end */
    bool cleaned;
};
ssize_t gen_logs(struct cg_gen *gen, void *arg);

/* Delegates to another body through a chain of generators; `arg` is a struct gen_chain. */
struct gen_chain {
    cg_gen_fn *fn;
    void *arg;
    ssize_t answer;
    int depth;
};
ssize_t gen_delegates(struct cg_gen *gen, void *arg);

#endif
