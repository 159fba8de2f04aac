/* SPDX-License-Identifier: MIT */
/* Content codings: their names, and texts in memory that are compressed. */
#ifndef COGEN_HTTP_CODING_COMPRESS_H
#define COGEN_HTTP_CODING_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum cg__http_coding {
    CG__HTTP_IDENTITY,
    CG__HTTP_GZIP,
    CG__HTTP_BR
};

const char *cg__http_coding_name(enum cg__http_coding coding);
bool cg__http_compress_is_text(const char *type);

/* Whether the coding is built in. */
bool cg__http_compress_can(enum cg__http_coding coding);

/* Compresses into memory from malloc, and lets others run meanwhile. Returns the length;
 * 0: it is not smaller, or there is no memory; negative: cancelled. Yields. */
ssize_t cg__http_compress(enum cg__http_coding coding, const void *data, size_t size,
                          void **out);

#endif
