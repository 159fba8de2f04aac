/* SPDX-License-Identifier: MIT */
/* The access log, and the failures of handlers. */
#ifndef COGEN_HTTP_SERVER_ACCESS_LOG_H
#define COGEN_HTTP_SERVER_ACCESS_LOG_H

#include "http/server/server.h"

/* Adds a request's line to the access log; _end writes all gathered lines when the last
 * cg_http_serve ends. Yields. */
void cg__http_access_log_add(struct cg_http_request *req);
void cg__http_access_log_end(struct cg_http_server *server);

/* Logs a message with the reason why a handler failed. */
void cg__http_access_log_failure(struct cg_http_request *req, ssize_t code);

#endif
