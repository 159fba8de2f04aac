/* SPDX-License-Identifier: MIT */
/* The hosts that a client has asked before. The beginning of their URLs, "http://host:8080", is
 * parsed once. */
#ifndef COGEN_HTTP_CLIENT_POOL_SITE_H
#define COGEN_HTTP_CLIENT_POOL_SITE_H

#include "http/client/client.h"

/* Parses the URL of a request into ask->url, as cg__http_url_parse does, and sets ask->site. Its
 * texts are valid as long as it, the client and ask->reply, which may have the memory. */
int cg__http_client_pool_site_parse(struct cg__asking *ask, const char *text, const char **why);

/* Where the origin of requests to this site stands that need no proxy; NULL at first. */
struct cg__origin **cg__http_client_pool_site_origin(struct cg__site *site);

void cg__http_client_pool_site_free(struct cg_http_client *client);

#endif
