/* SPDX-License-Identifier: MIT */
/* Allocations that are made to fail: for programs linked with -Wl,--wrap=malloc,--wrap=calloc,
 * --wrap=realloc against the library's objects, not the shared library. */
#ifndef COGEN_TESTS_FAILING_H
#define COGEN_TESTS_FAILING_H

#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);

/* The program's own: whether the allocation that is asked for now is to fail. */
bool failing_now(void);

#endif
