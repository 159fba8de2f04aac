/* SPDX-License-Identifier: MIT */
/* Notes of the order in which coroutines run; and small coroutines that leave one, sleep,
 * or answer. */
#ifndef COGEN_TESTS_SUPPORT_NOTES_H
#define COGEN_TESTS_SUPPORT_NOTES_H

#include "tests/support/support.h"

/* All notes so far, one behind the other. */
extern char noted[256];

void note(const char *what);

/* Notes a number as a letter: 0 is "a". */
void note_letter(intptr_t value);

/* With CK_FORK=no the notes of the case before are still there. */
void note_anew(void);

/* The scheduler's time. */
int64_t now(void);

/* Coroutines: one notes the string `arg`, one sleeps for the int64_t, one answers the
 * ssize_t that it points to. */
ssize_t notes(void *arg);
ssize_t sleeps(void *arg);
ssize_t answers(void *arg);

/* One in which everything that it waits for is cancelled; answers 5. */
ssize_t two_waits(void *arg);

#endif
