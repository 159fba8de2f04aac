/* SPDX-License-Identifier: MIT */
/* A connection over HTTP/2. */
#ifndef COGEN_HTTP_SERVER_H2_SERVE_H
#define COGEN_HTTP_SERVER_H2_SERVE_H

#include "http/server/server.h"

/* Serves a connection over HTTP/2 until it ends, or is idle: then its session stays, and this is
 * to be called again when it wakes. Yields. */
enum cg__http_outcome cg__http_h2_serve(struct cg__http_conn *conn);

/* To be called when a shutdown begins, for a connection with a session: tells its client. */
void cg__http_h2_drain(struct cg__http_conn *conn);

/* Frees what is kept for further connections. */
void cg__http_h2_free_spare(struct cg_http_server *server);

/* Whether HTTP/2 is built in. */
bool cg__http_h2_is_there(void);

#endif
