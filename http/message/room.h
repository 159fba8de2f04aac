/* SPDX-License-Identifier: MIT */
/* Buffers that grow. */
#ifndef COGEN_HTTP_MESSAGE_ROOM_H
#define COGEN_HTTP_MESSAGE_ROOM_H

#include <stddef.h>

/* Makes a buffer from malloc at least `wanted` bytes large, by doubling; *size: how large it
 * is, `first`: how large it is made at least. 0; -ENOMEM: nothing has changed. */
int cg__http_room(char **data, size_t *size, size_t first, size_t wanted);

#endif
