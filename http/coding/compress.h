/* SPDX-License-Identifier: MIT */
/* Content codings: their names, and texts in memory that are compressed. */
#ifndef COGEN_HTTP_CODING_COMPRESS_H
#define COGEN_HTTP_CODING_COMPRESS_H

#include "http/coding/coding.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The codings that are built in, the best first: for a text that is complete in memory; for a text
 * that comes in pieces; and for one whose client accepts none of these, since a stream of brotli
 * takes four times the memory. Each list ends with CG__HTTP_IDENTITY. */
extern const enum cg__http_coding cg__http_compress_whole[], cg__http_compress_pieces[],
    cg__http_compress_otherwise[];

const char *cg__http_coding_name(enum cg__http_coding coding);
bool cg__http_compress_is_text(const char *type);

/* Compresses into memory from malloc, and lets others run meanwhile. Returns the length;
 * 0: it is not smaller, or there is no memory; negative: cancelled. Yields. */
ssize_t cg__http_compress(enum cg__http_coding coding, const void *data, size_t size,
                          void **out);

#endif
