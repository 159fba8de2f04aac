/* SPDX-License-Identifier: MIT */
/* What the server says about itself. */
#ifndef COGEN_HTTP_SERVER_LOG_H
#define COGEN_HTTP_SERVER_LOG_H

#include "http/server/server.h"

/* Brings the Date up to date. */
void cg__http_log_date(struct cg_http_server *server);

/* The peer's address without its port; it is kept, for when the socket is another's. */
const char *cg__http_log_peer(struct cg__http_conn *conn);

/* A line for those who look after the server. */
void cg__http_log(struct cg_http_server *server, const char *line);

/* Logs, once a second at most, that a connection could not be accepted. arg: the server. */
void cg__http_log_accept(void *arg, int code);

#endif
