/* SPDX-License-Identifier: MIT */
/* Connections that wait for a request without a coroutine. */
#ifndef COGEN_HTTP_SERVER_DORMANT_H
#define COGEN_HTTP_SERVER_DORMANT_H

#include "http/server/server.h"

/* How long an idle connection keeps its coroutine. To start another one costs a busy connection
 * a fifth of its instructions. */
#define CG__HTTP_AWAKE CG_SECOND

/* Makes a starter whose coroutines go on with connections: `resume` gets what
 * cg__http_dormant_end takes. 0 or -ENOMEM. */
int cg__http_dormant_open(struct cg_http_server *server, cg_fn *resume);

/* When no connection is left. */
void cg__http_dormant_close(struct cg_http_server *server);

/* The connection's coroutine ends and this waits until the moment `end` in its stead. False:
 * the transport has still something to do, and nothing has changed. */
bool cg__http_dormant_begin(struct cg__http_conn *conn, int64_t end);

/* In the new coroutine: returns the connection whose wait has ended. */
struct cg__http_conn *cg__http_dormant_end(struct cg_op *op);

/* Cancels a connection, dormant or not: it is closed without a further response. */
void cg__http_dormant_cancel(struct cg__http_conn *conn);

/* Ends the connection's wait for a request, dormant or not, if it is in one. */
void cg__http_dormant_end_wait(struct cg__http_conn *conn);

#endif
