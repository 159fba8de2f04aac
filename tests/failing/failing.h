/* SPDX-License-Identifier: MIT */
/* Makes allocations fail, and finds blocks that are never freed. For programs that are
 * linked with $(failing_wraps) of Makefile.am against the library's objects, not against
 * the shared library. */
#ifndef COGEN_TESTS_FAILING_FAILING_H
#define COGEN_TESTS_FAILING_FAILING_H

#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);

/* The kind of memory that is allocated. */
enum failing_what {
    FAILING_NEW,    /* malloc, calloc, posix_memalign */
    FAILING_LARGER, /* realloc */
    FAILING_PAGES,  /* mmap: stacks, and rings */
};

/* Defined by the program: whether this allocation must fail. Called in any thread. */
bool failing_now(enum failing_what what);

/* From now on every allocation in any thread (not pages) is remembered until it is freed.
 * Earlier ones are forgotten. */
void failing_watch(void);

/* How many reactors a test has open at a time. */
extern size_t failing_queues;

/* Waits until everything that is remembered was freed: threads free their last blocks in
 * their own time, some seconds at most. Then stops watching and returns how many blocks
 * are left. */
size_t failing_left(void);

#endif
