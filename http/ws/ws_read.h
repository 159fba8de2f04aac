/* SPDX-License-Identifier: MIT */
/* The reader of a WebSocket. */
#ifndef COGEN_HTTP_WS_WS_READ_H
#define COGEN_HTTP_WS_WS_READ_H

#include "http/ws/ws.h"

/* Waits until ws->message is ready, and returns its kind; or ws->result if the WebSocket has
 * ended; or a negative code that is not permanent. One coroutine at a time, which has set
 * ws->reading. Yields. */
ssize_t cg__http_ws_read_next(struct cg_ws *ws, bool pieces);


/* The moment at which a wait for input ends in vain: for a ping, or the end. */
int64_t cg__http_ws_read_due(const struct cg_ws *ws);

#endif
