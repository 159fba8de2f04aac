/* SPDX-License-Identifier: MIT */
/* The target of a request: its path and query. */
#ifndef COGEN_HTTP_SERVER_REQUEST_TARGET_H
#define COGEN_HTTP_SERVER_REQUEST_TARGET_H

#include "http/server/server.h"

/* Sets req->path. 0, or the status of the response to an invalid target. */
int cg__http_request_target_path(struct cg_http_request *req);

/* The undecoded path of a target that has a path. */
const char *cg__http_request_target_raw_path(const struct cg_http_request *req);

/* Decodes percent-encoding, in place or into a buffer of the same size. `plus`: "+"
 * becomes a blank. `slash`: also "%2F" and "%25" are decoded; otherwise they stay, in
 * upper case, so that the result is unambiguous. Returns the length; -1: invalid, or an
 * encoded NUL. */
ssize_t cg__http_request_target_decode(char *to, const char *from, size_t size,
                                       bool plus, bool slash);

#endif
