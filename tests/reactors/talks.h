/* SPDX-License-Identifier: MIT */
/* Work for a scheduler: a conversation with pauses. */
#ifndef COGEN_TESTS_REACTORS_TALKS_H
#define COGEN_TESTS_REACTORS_TALKS_H

#include "tests/support/support.h"

/* A coroutine that exchanges messages with an echo server. arg points to an int, the number
 * of rounds. */
ssize_t talks(void *arg);

#endif
