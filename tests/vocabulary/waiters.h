/* SPDX-License-Identifier: MIT */
/* Coroutines that wait for a named signal, and note that they got it. */
#ifndef COGEN_TESTS_VOCABULARY_WAITERS_H
#define COGEN_TESTS_VOCABULARY_WAITERS_H

#include <cogen.h>

struct waiter {
    const char *mark;
    struct cg_name name;
    intptr_t wanted; /* the value that it must get */
};

/* Waits for the signal, notes the mark and checks the value. Returns what the wait has
 * completed with. */
ssize_t waiter(void *arg);

/* Starts a waiter, and returns when it waits. */
struct cg_coro *waiting(struct waiter *w);

#endif
