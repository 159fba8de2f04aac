/* SPDX-License-Identifier: MIT */
/* A gate blocks the threads that call its function until the test opens it, so that no
 * test of threads depends on time. */
#ifndef COGEN_TESTS_THREADS_GATE_H
#define COGEN_TESTS_THREADS_GATE_H

#include "tests/support/support.h"

#include <pthread.h>

#define MS CG_MILLISECOND

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int inside, most, calls, abandoned;
    bool open;
};

#define GATE                                                                               \
    {                                                                                      \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, 0, false             \
    }

/* The function: returns how many have called it. */
ssize_t through(void *gate);

/* Counts as one of those that await_abandoned waits for. */
void abandoned(void *gate);

void open_gate(struct gate *gate);

/* Block the test until that many are inside, or have been abandoned. */
void await_inside(struct gate *gate, int n);
void await_abandoned(struct gate *gate, int n);

struct cg_pool *pool_of(unsigned threads, size_t queue);

/* A coroutine that goes through the gate. */
struct visit {
    struct gate *gate;
    struct cg_pool *pool;
    int64_t timeout;
    void (*abandon)(void *arg);
    enum cg_fate fate;
};

ssize_t visit(void *arg);

#endif
