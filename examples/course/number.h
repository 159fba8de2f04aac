/* SPDX-License-Identifier: MIT */
/* A number on the command line, for the programs of the course that have no other options. */
#ifndef EXAMPLES_COURSE_NUMBER_H
#define EXAMPLES_COURSE_NUMBER_H

#include <stdio.h>
#include <stdlib.h>

#include "../number.h"

/* Returns the argument at a place of the command line, or `otherwise` if there are fewer. One that
 * is no whole number from 0 to `most` is reported, and ends the program with 2. */
static inline unsigned long number(int argc, char **argv, int place, unsigned long otherwise,
                                   unsigned long most)
{
    unsigned long value;

    if (place >= argc)
        return otherwise;
    if (!number_read(argv[place], 0, most, &value)) {
        fprintf(stderr, "%s: \"%s\" is no number from 0 to %lu\n", argv[0], argv[place], most);
        exit(2);
    }
    return value;
}

#endif
