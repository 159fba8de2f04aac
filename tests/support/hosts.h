/* SPDX-License-Identifier: MIT */
/* Several hosts in one simulated world, for tests. */
#ifndef COGEN_TESTS_SUPPORT_HOSTS_H
#define COGEN_TESTS_SUPPORT_HOSTS_H

#include <check.h>
#include <cogen.h>
#include <cogen/sim.h>

#include "tests/support/must.h"

enum { HOSTS_MOST = 8 };

struct hosts {
    unsigned count;
    struct cg_reactor *reactor[HOSTS_MOST];
    struct cg_sched *sched[HOSTS_MOST];
};

/* Opens a world with `count` hosts, each with a scheduler. */
void hosts_open(struct hosts *hosts, unsigned count, const struct cg_sim_options *options);

/* Adds a host to the world, or puts a new one in the place of one that is gone. */
void hosts_add(struct hosts *hosts, unsigned place);

/* Starts a coroutine on a host. */
void hosts_start(struct hosts *hosts, unsigned place, cg_fn *fn, void *arg);

/* Runs all of them, and fails if a coroutine is left. */
void hosts_run(struct hosts *hosts);

/* Checks that all handles were closed, and frees everything. */
void hosts_close(struct hosts *hosts);

#endif
