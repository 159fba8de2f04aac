/* SPDX-License-Identifier: MIT */
/* Generators' bodies that several tests pull values from, and the pulling. */
#ifndef COGEN_TESTS_GENERATORS_GEN_BODIES_H
#define COGEN_TESTS_GENERATORS_GEN_BODIES_H

#include "tests/support/support.h"

struct cg_gen *gen_make(cg_gen_fn *fn, void *arg);

/* The next value, which must come. */
intptr_t gen_value(struct cg_gen *gen);

/* 0, 1, ... below the int that `arg` points to; the result is ten times that. */
ssize_t gen_range(struct cg_gen *gen, void *arg);

/* The text's: what is sent shifts the sequence, and next sends nothing. */
ssize_t gen_jumps(struct cg_gen *gen, void *arg);

/* Writes down what each yield is told, from the end on; `arg` is a struct gen_log. */
struct gen_log {
    ssize_t seen[4];
    int n;
    ssize_t result;  /* what the body returns; 1: what it was told */
    int yields_more; /* times it yields after it was told to end */
    bool cleaned;
};
ssize_t gen_logs(struct cg_gen *gen, void *arg);

/* Lets another body, so many generators below, speak; `arg` is a struct gen_chain. */
struct gen_chain {
    cg_gen_fn *fn;
    void *arg;
    ssize_t answer;
    int depth;
};
ssize_t gen_delegates(struct cg_gen *gen, void *arg);

#endif
