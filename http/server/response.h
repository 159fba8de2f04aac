/* SPDX-License-Identifier: MIT */
/* Responses that are there as a whole. */
#ifndef COGEN_HTTP_SERVER_RESPONSE_H
#define COGEN_HTTP_SERVER_RESPONSE_H

#include "http/server/server.h"

/* Responds with a status and a line of text that names it. Yields if it must. */
ssize_t cg__http_response_plain(struct cg_http_request *req, int status);

#endif
