/* SPDX-License-Identifier: MIT */
/* The client's cache: which responses come from it, and which ones go into it. */
#ifndef COGEN_HTTP_CLIENT_CACHED_H
#define COGEN_HTTP_CLIENT_CACHED_H

#include "http/client/client.h"

/* Looks a request up, also one after a redirect. 1: the reply has begun, from the cache, or with
 * a status of 504 since it must come from there; 0: the server has to be asked, perhaps to
 * validate what is stored; negative. */
ssize_t cg__http_client_cached_find(struct cg__asking *ask);

/* What becomes of the server's response, or of the failure to get one (`result`): the reply may be
 * stored while it is read, or be replaced by a stored one. 0; 1: the request is to be sent again;
 * negative. */
ssize_t cg__http_client_cached_judge(struct cg__asking *ask, ssize_t result);

/* Frees what the cache needs during a request. */
void cg__http_client_cached_end(struct cg__asking *ask);

#endif
