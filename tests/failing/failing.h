/* SPDX-License-Identifier: MIT */
/* Allocations that are made to fail, and those that are never given back: for programs
 * linked with $(failing_wraps) of Makefile.am against the library's objects, not the
 * shared library. */
#ifndef COGEN_TESTS_FAILING_FAILING_H
#define COGEN_TESTS_FAILING_FAILING_H

#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);

/* What is asked for. */
enum failing_what {
    FAILING_NEW,    /* malloc, calloc, posix_memalign */
    FAILING_LARGER, /* realloc */
    FAILING_PAGES,  /* mmap: stacks, and rings */
};

/* The program's own: whether what is asked for now is to fail. In any thread. */
bool failing_now(enum failing_what what);

/* What is allocated from now on, in any thread, is remembered until it is freed (not
 * pages); what was before is forgotten. */
void failing_watch(void);

/* Waits until all that is remembered is freed, since threads give back the last at their
 * own time, some seconds at most; then ends the watch and answers how many blocks are
 * left. */
size_t failing_left(void);

#endif
