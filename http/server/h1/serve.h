/* SPDX-License-Identifier: MIT */
/* The requests of a connection over HTTP/1. */
#ifndef COGEN_HTTP_SERVER_H1_SERVE_H
#define COGEN_HTTP_SERVER_H1_SERVE_H

#include "http/server/server.h"

/* Serves the requests in a lent view, and those that follow. The view is released when it
 * is used up, or before other code reads the socket. Yields. */
enum cg__http_outcome cg__http_h1_serve(struct cg__http_conn *conn,
                                        struct cg_view *view);

/* Frees the spare requests. */
void cg__http_h1_free_spare(struct cg_http_server *server);

#endif
