/* SPDX-License-Identifier: MIT */
/* Buffers that grow. See room.h. */
#include "config.h"

#include "http/message/room.h"

#include <errno.h>
#include <stdlib.h>

int cg__http_room(char **data, size_t *size, size_t first, size_t wanted)
{
    size_t room = *size > 0 ? *size : first;
    char *grown;

    while (room < wanted)
        room *= 2;
    if (room == *size)
        return 0;
    grown = realloc(*data, room);
    if (grown == NULL)
        return -ENOMEM;
    *data = grown;
    *size = room;
    return 0;
}
