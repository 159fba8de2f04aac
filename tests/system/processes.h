/* SPDX-License-Identifier: MIT */
/* What the tests of processes share. */
#ifndef COGEN_TESTS_SYSTEM_PROCESSES_H
#define COGEN_TESTS_SYSTEM_PROCESSES_H

#include "system/process/process.h"
#include "tests/support/support.h"

#define MS CG_MILLISECOND
#define SH(script) ((char *[]){"/bin/sh", "-c", (script), NULL})

/* Starts a shell script. */
struct cg_process *spawn(char *script);

/* Checks the output of a process and how it ended, and closes it. */
void expect(const char *output, ssize_t result, struct cg_process *process);

/* Checks that no child process is left, running or as a zombie. */
void no_children(void);

#endif
