/* SPDX-License-Identifier: MIT */
/* What the tests of processes share. */
#ifndef COGEN_TESTS_SYSTEM_PROCESSES_H
#define COGEN_TESTS_SYSTEM_PROCESSES_H

#include "system/process.h"
#include "tests/support/support.h"

#define MS CG_MILLISECOND
#define SH(script) ((char *[]){"/bin/sh", "-c", (script), NULL})

/* Starts a script. */
struct cg_process *spawn(char *script);

/* Closes a process whose output is to be exactly that, and which is to end so. */
void expect(const char *output, ssize_t result, struct cg_process *process);

/* Nobody is left to wait for. */
void no_children(void);

#endif
