/* SPDX-License-Identifier: MIT */
/* Notes about the order in which coroutines run, and small coroutines that leave a note,
 * sleep, or return a value. */
#ifndef COGEN_TESTS_SUPPORT_NOTES_H
#define COGEN_TESTS_SUPPORT_NOTES_H

#include "tests/support/support.h"

/* All notes so far, in order. */
extern char noted[256];

void note(const char *what);

/* Notes a number as a letter: 0 is "a". */
void note_letter(intptr_t value);

/* Clears the notes: with CK_FORK=no those of the previous case are still there. */
void note_anew(void);

/* The scheduler's time. */
int64_t now(void);

/* Coroutines: notes() notes the string `arg`, sleeps() sleeps for the int64_t and
 * answers() returns the ssize_t that it points to. */
ssize_t notes(void *arg);
ssize_t sleeps(void *arg);
ssize_t answers(void *arg);

/* A coroutine in which every wait is cancelled; returns 5. */
ssize_t two_waits(void *arg);

#endif
