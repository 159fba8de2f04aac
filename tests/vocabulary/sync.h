/* SPDX-License-Identifier: MIT */
/* Shared by the tests of cogen/sync.h. */
#ifndef COGEN_TESTS_VOCABULARY_SYNC_H
#define COGEN_TESTS_VOCABULARY_SYNC_H

#include "tests/support/notes.h"

/* What one coroutine does with an object, and the expected result. */
struct part {
    const char *mark;
    void *object;
    int64_t timeout;
    ssize_t wanted;
    unsigned units;
};

/* Starts a coroutine and lets it run until it waits. */
static inline struct cg_coro *waits(cg_fn *fn, void *arg)
{
    struct cg_coro *coro = test_start(fn, arg);

    test_until_waiting(coro);
    return coro;
}

#endif
