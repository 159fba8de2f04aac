/* SPDX-License-Identifier: MIT */
/* Places for connections: how many there may be. */
#ifndef COGEN_HTTP_SERVER_PLACES_H
#define COGEN_HTTP_SERVER_PLACES_H

#include "http/server/server.h"

/* Counts a new connection for its address. If the address has too many, the connection
 * from it that has waited longest for its client is cancelled. 0; -EBUSY: none of them
 * waits for its client; -ENOMEM. */
int cg__http_places_take(struct cg__http_conn *conn);

/* Waits until one more connection is allowed; for that it cancels the one that has waited
 * longest for its client. 0, or a negative code. Yields. */
ssize_t cg__http_places_wait(struct cg_http_server *server);

/* Adds a connection whose coroutine has started. */
void cg__http_places_enter(struct cg__http_conn *conn);

/* Removes a connection that ends, or that cg__http_places_take has counted but that does
 * not start. */
void cg__http_places_leave(struct cg__http_conn *conn);

/* To be called when the kernel had no descriptor for a connection: cancels the connection
 * that has waited longest for its client, and lowers the limit by an eighth for a while. */
void cg__http_places_short(struct cg_http_server *server);

/* The default (and highest) number of connections, from RLIMIT_NOFILE; and the default
 * number from one address if the limit for all is this one. */
unsigned cg__http_places(void);
unsigned cg__http_places_share(unsigned connections);

#endif
