/* SPDX-License-Identifier: MIT */
/* Places for connections: how many there may be. */
#ifndef COGEN_HTTP_SERVER_PLACES_H
#define COGEN_HTTP_SERVER_PLACES_H

#include "http/server/server.h"

/* Takes one of the places of a new connection's address; if none is free, that of the
 * connection from there which has waited longest for its client. 0; -EBUSY: all of them are
 * at work; -ENOMEM. */
int cg__http_places_take(struct cg__http_conn *conn);

/* Waits until there is a place for one more connection, and sees to it by closing the one
 * that has waited longest for its client. 0, or a negative code. Yields. */
ssize_t cg__http_places_wait(struct cg_http_server *server);

/* The new connection begins. */
void cg__http_places_enter(struct cg__http_conn *conn);

/* The connection ends, or does not begin: what it has taken is free. */
void cg__http_places_leave(struct cg__http_conn *conn);

/* The kernel had no descriptor for a connection: the one that has waited longest for its
 * client is closed, and an eighth of the places stay free for a while. */
void cg__http_places_short(struct cg_http_server *server);

/* How many connections there may be unless somebody says, and of so many from one
 * address. */
unsigned cg__http_places(void);
unsigned cg__http_places_share(unsigned connections);

#endif
