/* SPDX-License-Identifier: MIT */
/* Stack overflows are reported. See overflow.c. */
#ifndef COGEN_LIB_STACKS_OVERFLOW_H
#define COGEN_LIB_STACKS_OVERFLOW_H

#include <stdbool.h>
#include <stddef.h>

/* Tells on which stack the calling thread runs: its kind ("coroutine" or "generator"),
 * name, lowest address and size. Returns false if it is not a stack of this kind.
 * Async-signal-safe. */
typedef bool cg__overflow_suspect(const char **kind, const char **name, const void **low,
                                  size_t *size);

/* Installs, once per process, the handler that reports an overflow ("cogen: stack overflow
 * in coroutine NAME (64 KiB stack)") and lets the fault kill the process; other faults go
 * to the handler that was installed before. Gives each calling thread a signal stack for
 * it, unless the thread has one. `suspect` is asked from then on; there may be two, since
 * coroutines and generators run on these stacks, which know neither. May be called any
 * number of times. */
void cg__overflow_watch(cg__overflow_suspect *suspect);

#endif
