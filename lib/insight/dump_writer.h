/* SPDX-License-Identifier: MIT */
/* Writes dumps without making a scheduler wait. See dump_writer.c. */
#ifndef COGEN_LIB_INSIGHT_DUMP_WRITER_H
#define COGEN_LIB_INSIGHT_DUMP_WRITER_H

#include <stddef.h>

/* Called once, before the first dump. */
void cg__dump_writer_init(void);

/* Has a text written to a file (NULL: stderr) and then freed. Does not wait. From any
 * thread. */
void cg__dump_writer_put(char *text, size_t len, const char *file);

/* Waits until all has been written, but no longer than a second. */
void cg__dump_writer_finish(void);

#endif
