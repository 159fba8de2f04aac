/* SPDX-License-Identifier: MIT */
/* See output.c. */
#ifndef EXAMPLES_OUTPUT_H
#define EXAMPLES_OUTPUT_H

#include <stdatomic.h>
#include <stdbool.h>

/* The name that the program prints before "stdout: why"; NULL: none. */
extern const char *output_program;

/* The program has already reported that stdout cannot be written, and sets the exit status
 * itself. */
extern atomic_bool output_told;

/* Flushes stdout. False: it could not be written; the reason has been printed on stderr,
 * and the exit status should be 1. */
bool output_flush(void);

#endif
