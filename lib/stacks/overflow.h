/* SPDX-License-Identifier: MIT */
/* Stack overflows are reported. See overflow.c. */
#ifndef COGEN_LIB_STACKS_OVERFLOW_H
#define COGEN_LIB_STACKS_OVERFLOW_H

#include <stdbool.h>
#include <stddef.h>

/* Installs, once per process, the handler that reports an overflow ("cogen: stack overflow
 * in coroutine NAME (64 KiB stack)") and lets the fault kill the process; other faults go
 * to the handler that was installed before. Gives each calling thread a signal stack for
 * it, unless the thread has one. May be called any number of times. */
void cg__overflow_watch(void);

/* Tells what the calling thread runs, for that report: "coroutine" or "generator", its
 * name and its stack. False: neither. Async-signal-safe. Defined outside this folder, in
 * lib/generators/overflow_suspect.c, because the stacks do not know who runs on them. */
bool cg__overflow_suspect(const char **kind, const char **name, const void **low,
                          size_t *size);

#endif
