/* SPDX-License-Identifier: MIT */
/* Dumps of the running scheduler, and what must stand in them. */
#ifndef COGEN_TESTS_INSIGHT_DUMPS_H
#define COGEN_TESTS_INSIGHT_DUMPS_H

#include <cogen/dump.h>

/* Returns a dump, in which no time has passed; the caller frees it. */
char *dump_of(const struct cg_dump_options *options);

/* The test fails unless the text has `what`, or if it has it. */
void dump_says(const char *text, const char *what);
void dump_says_not(const char *text, const char *what);

#endif
