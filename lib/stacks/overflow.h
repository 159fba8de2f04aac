/* SPDX-License-Identifier: MIT */
/* Stack overflows are reported. See overflow.c. */
#ifndef COGEN_LIB_STACKS_OVERFLOW_H
#define COGEN_LIB_STACKS_OVERFLOW_H

#include <stdbool.h>
#include <stddef.h>

/* Installs, once a process, the handler that reports an overflow ("cogen: stack overflow in
 * coroutine NAME (64 KiB stack)") from a signal stack and lets the process die of it;
 * faults elsewhere go to whoever handled them before. And, once a thread, its signal stack,
 * unless it has one. May be called any number of times. */
void cg__overflow_watch(void);

/* Whose stack the calling thread runs on, "coroutine" or "generator" and its name, for
 * that report. Async-signal-safe. Defined by the files that run something on these
 * stacks. False: on none of ours. */
bool cg__overflow_suspect(const char **kind, const char **name, const void **low,
                          size_t *size);

#endif
