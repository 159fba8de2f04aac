/* SPDX-License-Identifier: MIT */
/* The access log, and the failures of handlers. */
#ifndef COGEN_HTTP_SERVER_ACCESS_LOG_H
#define COGEN_HTTP_SERVER_ACCESS_LOG_H

#include "http/server/server.h"

/* A line for the access log; at the end of serving, what has gathered is written. */
void cg__http_access_log_add(struct cg_http_request *req);
void cg__http_access_log_end(struct cg_http_server *server);

/* A line of why a handler failed. */
void cg__http_access_log_failure(struct cg_http_request *req, ssize_t code);

#endif
