/* SPDX-License-Identifier: MIT */
/* A stream that writes to memory, and reports that there was none left. That of open_memstream in
 * glibc loses what it has no memory for, and neither ferror nor fclose says so. */
#ifndef COGEN_LIB_BASE_MEMORY_FILE_H
#define COGEN_LIB_BASE_MEMORY_FILE_H

#include <stdio.h>

struct cg__memory_file {
    FILE *file; /* to be written to */
    char *data; /* once it is closed: the text, with a NUL behind its len bytes */
    size_t len, room;
};

/* Opens it. 0 or -ENOMEM. It must not move until it is closed. */
int cg__memory_file_open(struct cg__memory_file *memory);

/* Closes it. rc is the result of whoever has written to it. If that is not negative and nothing
 * is missing, returns it, and the caller frees memory->data; else rc or -ENOMEM, and data is
 * NULL. */
int cg__memory_file_close(struct cg__memory_file *memory, int rc);

#endif
