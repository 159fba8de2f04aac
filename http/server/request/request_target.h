/* SPDX-License-Identifier: MIT */
/* The target of a request: its path and query. */
#ifndef COGEN_HTTP_SERVER_REQUEST_TARGET_H
#define COGEN_HTTP_SERVER_REQUEST_TARGET_H

#include "http/server/server.h"

/* Sets req->path. 0, or the status of the response to an invalid target. */
int cg__http_request_target_path(struct cg_http_request *req);

/* The undecoded path of a target that has a path. */
const char *cg__http_request_target_raw_path(const struct cg_http_request *req);

#endif
