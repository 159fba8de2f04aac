/* SPDX-License-Identifier: MIT */
/* The library's own threads. */
#ifndef COGEN_LIB_BASE_THREAD_H
#define COGEN_LIB_BASE_THREAD_H

#include <stddef.h>

/* Starts a detached thread with all signals blocked, so that signals are handled in the
 * program's own threads. stack_size: bytes; 0: the system's default. Returns 0 or an error
 * number. */
int cg__thread_start(void *(*fn)(void *arg), void *arg, size_t stack_size);

#endif
