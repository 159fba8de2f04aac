/* SPDX-License-Identifier: MIT */
/* Writes dumps, and reports of hogs, without making a scheduler wait. See dump_writer.c. */
#ifndef COGEN_LIB_INSIGHT_DUMP_WRITER_H
#define COGEN_LIB_INSIGHT_DUMP_WRITER_H

#include <stddef.h>

/* Has a text written to a file (NULL: stderr) and then freed. Does not wait. From any
 * thread. */
void cg__dump_writer_put(char *text, size_t len, const char *file);

/* Has a line written to stderr, as cg__report writes it. Does not wait. */
void cg__dump_writer_report(const char *text);

/* Waits until all has been written, but no longer than a second. */
void cg__dump_writer_finish(void);

#endif
