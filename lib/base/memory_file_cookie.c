/* SPDX-License-Identifier: MIT */
/* See memory_file.h. Made with fopencookie, of glibc and musl: a write for which there is no memory
 * is an error of the stream. */
#include "config.h"

#include "lib/base/memory_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum { ROOM = 1024 }; /* at first */

static ssize_t append(void *cookie, const char *bytes, size_t size)
{
    struct cg__memory_file *memory = cookie;
    size_t wanted = memory->len + size + 1;

    if (wanted > memory->room) {
        size_t room = 2 * memory->room > wanted ? 2 * memory->room : wanted;
        char *data = realloc(memory->data, room);

        if (data == NULL)
            return 0; /* not -1, says fopencookie(3) */
        memory->data = data;
        memory->room = room;
    }
    memcpy(memory->data + memory->len, bytes, size);
    memory->len += size;
    memory->data[memory->len] = '\0';
    return (ssize_t)size;
}

int cg__memory_file_open(struct cg__memory_file *memory)
{
    *memory = (struct cg__memory_file){.data = calloc(1, ROOM), .room = ROOM};
    if (memory->data == NULL)
        return -ENOMEM;
    memory->file = fopencookie(memory, "w", (cookie_io_functions_t){.write = append});
    if (memory->file != NULL)
        return 0;
    free(memory->data);
    return -ENOMEM;
}
