/* SPDX-License-Identifier: MIT */
/* What a process says when it dies, or does not. */
#ifndef COGEN_TESTS_SUPPORT_CHILD_H
#define COGEN_TESTS_SUPPORT_CHILD_H

#include <stddef.h>

/* Runs act in a child process. What it says on stderr, as a string, and how it ended
 * (waitpid's status; 0: act returned). */
int child_run(void (*act)(void), char *said, size_t size);

#endif
