/* SPDX-License-Identifier: MIT */
/* Requests, whatever carries them. */
#ifndef COGEN_HTTP_SERVER_REQUEST_H
#define COGEN_HTTP_SERVER_REQUEST_H

#include "http/server/server.h"

/* _reset prepares a request for the next message; _clear frees its lists. */
void cg__http_request_reset(struct cg_http_request *req);
void cg__http_request_clear(struct cg_http_request *req);

#endif
