/* SPDX-License-Identifier: MIT */
/* Messages for the operator, and the Date. */
#ifndef COGEN_HTTP_SERVER_LOG_H
#define COGEN_HTTP_SERVER_LOG_H

#include "http/server/server.h"

/* Updates the Date in server->usual, and server->date, once a second. */
void cg__http_log_date(struct cg_http_server *server);

/* Passes a message for the operator to the option .log, or prints it on stderr. */
void cg__http_log(struct cg_http_server *server, const char *line);

/* Logs, at most once a second, that a connection could not be accepted. arg: the server. */
void cg__http_log_accept(void *arg, int code);

#endif
