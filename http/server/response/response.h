/* SPDX-License-Identifier: MIT */
/* Responses whose body is complete in memory. */
#ifndef COGEN_HTTP_SERVER_RESPONSE_H
#define COGEN_HTTP_SERVER_RESPONSE_H

#include "http/server/server.h"

/* Responds with a status and a text that names it. May yield. 0 or a negative code. */
ssize_t cg__http_response_plain(struct cg_http_request *req, int status);

#endif
