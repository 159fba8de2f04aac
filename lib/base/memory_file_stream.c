/* SPDX-License-Identifier: MIT */
/* See memory_file.h. For systems without fopencookie, whose open_memstream reports errors. */
#include "config.h"

#include "lib/base/memory_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

int cg__memory_file_open(struct cg__memory_file *memory)
{
    *memory = (struct cg__memory_file){.data = NULL};
    memory->file = open_memstream(&memory->data, &memory->len);
    return memory->file != NULL ? 0 : -ENOMEM;
}

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
