/* SPDX-License-Identifier: MIT */
/* What is sent. Whoever writes to the socket holds ws->lock. Whole frames may be put behind
 * the output at any time; whoever holds the lock sends them before it lets go. */
#ifndef COGEN_HTTP_WS_WS_OUTPUT_H
#define COGEN_HTTP_WS_WS_OUTPUT_H

#include "http/ws/ws.h"

#include <sys/uio.h>

/* Puts a frame behind the output, masked if need be. first: as in cg__http_ws_frame_head.
 * 0 or -ENOMEM. */
int cg__http_ws_output_put(struct cg_ws *ws, unsigned first, const char *data, size_t len);

/* Puts a Close behind the output, unless one was sent, and sets when the wait for the
 * peer's ends. Code 0: none. 0 or -ENOMEM. */
int cg__http_ws_output_close(struct cg_ws *ws, unsigned code, const char *reason);

/* Sends the output and then a frame of two parts, head and payload; the caller holds the
 * lock. If it is cancelled, what is left of the frame stays in the output; if nothing of it
 * was sent and it is not `committed`, it is dropped. 0 or a negative code. Yields. */
ssize_t cg__http_ws_output_flush(struct cg_ws *ws, const struct iovec *frame, bool committed);

/* Locks, sends the output and unlocks. Does nothing if there is no output. Yields. */
ssize_t cg__http_ws_output_send(struct cg_ws *ws);

/* Sends what has come to the output meanwhile, and unlocks. Returns n, or a failure. */
ssize_t cg__http_ws_output_unlock(struct cg_ws *ws, ssize_t n);

#endif
