/* SPDX-License-Identifier: MIT */
/* What WebSocket adds to the load: the handshake, and messages in short frames. */
#ifndef COGEN_BENCH_LOAD_WEBSOCKET_H
#define COGEN_BENCH_LOAD_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>

enum { LOAD_WEBSOCKET_LIMIT = 125 }; /* bytes of a message */

/* Makes the handshake on a connected socket. False: it failed. */
bool load_websocket_open(int fd);

/* `count` messages of `len` bytes, masked, one after the other, for free(); *size is that of
 * one. The echo of a message is 4 bytes shorter, since it has no key. NULL: len is too large,
 * or there is no memory. */
char *load_websocket_frames(size_t len, int count, size_t *size);

#endif
