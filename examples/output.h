/* SPDX-License-Identifier: MIT */
/* See output.c. */
#ifndef EXAMPLES_OUTPUT_H
#define EXAMPLES_OUTPUT_H

#include <stdbool.h>

/* What a program calls itself before "stdout: why"; NULL: nothing. */
extern const char *output_program;

/* Somebody has said already that it cannot be written, and sees to the exit status. */
extern bool output_told;

/* Writes at once what has been printed so far. False: it cannot be, and stderr has the
 * reason; the exit status should be 1. */
bool output_flush(void);

#endif
