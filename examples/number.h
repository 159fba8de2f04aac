/* SPDX-License-Identifier: MIT */
/* Whole numbers on the command line. */
#ifndef EXAMPLES_NUMBER_H
#define EXAMPLES_NUMBER_H

#include <stdbool.h>
#include <stdlib.h>

/* Reads a text that is a whole number from `least` to `most`. False: it is not. */
static inline bool number_read(const char *text, unsigned long least, unsigned long most,
                               unsigned long *number)
{
    char *end;

    *number = strtoul(text, &end, 10); /* ULONG_MAX: too large */
    return *text >= '0' && *text <= '9' && *end == '\0' && *number >= least && *number <= most;
}

#endif
