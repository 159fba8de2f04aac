/* SPDX-License-Identifier: MIT */
/* Child processes: what one says when it dies, and children that go on in a coroutine. */
#ifndef COGEN_TESTS_SUPPORT_CHILD_H
#define COGEN_TESTS_SUPPORT_CHILD_H

#include <cogen.h>

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "tests/support/support.h"

/* Runs act in a child process. Stores what it writes to stderr as a string. Returns how it
 * ended (waitpid's status; 0: act returned). */
int child_run(void (*act)(void), char *said, size_t size);

/* For a child: makes stderr a pipe that is full. Returns the end that reads it. */
int child_fill_stderr(void);

/* Forks, and runs fn(arg) in the child, on its copy of the caller's stack. fn returns 0 if all
 * is well. */
pid_t child_fork(cg_fn *fn, void *arg);

/* For child_fork, with a struct test: the child frees its copy of the scheduler and closes its
 * reactor. */
ssize_t child_frees(void *test);

/* Waits for the child's end, blocking this process, and checks that all was well. */
void child_ended_well(pid_t pid);

/* For the child, where a failed assertion of Check's would count as the parent's: prints
 * where the error is, and exits with 1. */
#define SURE(cond)                                                                         \
    do {                                                                                   \
        if (!(cond)) {                                                                     \
            fprintf(stderr, "child on %s, line %d: %s\n", test_reactor(), __LINE__, #cond); \
            _exit(1);                                                                      \
        }                                                                                  \
    } while (0)

#endif
