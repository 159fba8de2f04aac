/* SPDX-License-Identifier: MIT */
/* Something for a scheduler to do: a conversation with pauses. */
#ifndef COGEN_TESTS_REACTORS_TALKS_H
#define COGEN_TESTS_REACTORS_TALKS_H

#include "tests/support/support.h"

/* A coroutine: talks to an echo for as many rounds as the int that `arg` points to. */
ssize_t talks(void *arg);

#endif
