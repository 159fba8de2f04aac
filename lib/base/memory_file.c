/* SPDX-License-Identifier: MIT */
/* See memory_file.h. How the stream is opened depends on the system: memory_file_cookie.c,
 * memory_file_stream.c. */
#include "config.h"

#include "lib/base/memory_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

int cg__memory_file_close(struct cg__memory_file *memory, int rc)
{
    bool failed = ferror(memory->file) != 0;

    if ((fclose(memory->file) != 0 || failed || memory->data == NULL) && rc >= 0)
        rc = -ENOMEM;
    if (rc < 0) {
        free(memory->data);
        memory->data = NULL;
    }
    return rc;
}
