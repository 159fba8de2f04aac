/* SPDX-License-Identifier: MIT */
/* The target of a request: its path and query. */
#ifndef COGEN_HTTP_SERVER_REQUEST_TARGET_H
#define COGEN_HTTP_SERVER_REQUEST_TARGET_H

#include "http/server/server.h"

/* Makes req->path. 0, or the status that refuses the target. */
int cg__http_request_target_path(struct cg_http_request *req);

/* The undecoded path of a target that has one. */
const char *cg__http_request_target_raw_path(const struct cg_http_request *req);

/* Decodes "%41"; `plus`: a "+" is a blank; `slash`: a "%2F" is a "/" and a "%25" a "%".
 * Without it both stay, in upper case, so that the result is unambiguous. In place or into
 * a buffer as large. The length, or -1: not valid, or a NUL. */
ssize_t cg__http_request_target_decode(char *to, const char *from, size_t size,
                                       bool plus, bool slash);

#endif
