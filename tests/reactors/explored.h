/* SPDX-License-Identifier: MIT */
/* Explorations that find a fault, and what the tests of cg_sim_explore share. */
#ifndef COGEN_TESTS_REACTORS_EXPLORED_H
#define COGEN_TESTS_REACTORS_EXPLORED_H

#include "tests/support/support.h"

#include <cogen/explore.h>
#include <stdatomic.h>

/* What was found last. */
extern struct cg_sim_found found;

/* Explores, and checks that the plan of what was found fails in the same way. */
#define FINDS(...) FINDS_(__VA_ARGS__, )
#define FINDS_(fn, how, ...)                                                               \
    finds(fn, how, &(struct cg_sim_explore_options){.quiet = true, .jobs = 2, __VA_ARGS__})
void finds(cg_fn *fn, enum cg_sim_failure failure,
           const struct cg_sim_explore_options *options);

/* A program with a fault: a signal may come between the look for it and the wait. */
ssize_t lost_wakeup(void *arg);

/* A program that adds one to an atomic_uint. */
ssize_t counts_worlds(void *arg);

/* Zeroed memory that all worlds share. */
void *share(size_t size);

/* How often a word is in a text. */
unsigned count(const char *text, const char *word);

#endif
