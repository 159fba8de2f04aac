/* SPDX-License-Identifier: MIT */
/* See memory_file.h. For systems without fopencookie, whose open_memstream reports errors. */
#include "config.h"

#include "lib/base/memory_file.h"

#include <errno.h>

int cg__memory_file_open(struct cg__memory_file *memory)
{
    *memory = (struct cg__memory_file){.data = NULL};
    memory->file = open_memstream(&memory->data, &memory->len);
    return memory->file != NULL ? 0 : -ENOMEM;
}
