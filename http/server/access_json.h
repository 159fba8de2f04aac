/* SPDX-License-Identifier: MIT */
/* A line of the access log as JSON. */
#ifndef COGEN_HTTP_SERVER_ACCESS_JSON_H
#define COGEN_HTTP_SERVER_ACCESS_JSON_H

#include "http/server/server.h"

/* Appends the line of a request. client: its address. 0 or a negative code. */
int cg__http_access_json_put(struct cg_http_headers *text, const struct cg_http_request *req,
                             const char *client);

#endif
