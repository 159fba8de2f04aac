/* SPDX-License-Identifier: MIT */
/* The metrics of statsd.c. */
#ifndef EXAMPLES_STATSD_TABLE_H
#define EXAMPLES_STATSD_TABLE_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct statsd_table;

struct statsd_table *statsd_table_new(void); /* NULL: no memory */
void statsd_table_free(struct statsd_table *table);

/* Adds a line, "pages:1|c". Returns false if it is wrong, or there are too many names. */
bool statsd_table_add(struct statsd_table *table, const char *line);

/* Prints what has come since the last time, sorted by name, and begins anew; gauges stay and
 * are printed when they have changed. */
void statsd_table_print(struct statsd_table *table, FILE *out);

#endif
