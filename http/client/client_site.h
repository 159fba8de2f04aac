/* SPDX-License-Identifier: MIT */
/* The hosts that a client has asked before. The beginning of their URLs, "http://host:8080", is
 * parsed once. */
#ifndef COGEN_HTTP_CLIENT_CLIENT_SITE_H
#define COGEN_HTTP_CLIENT_CLIENT_SITE_H

#include "http/client/client.h"

/* Parses a URL as cg__http_url_parse does. Its texts are valid as long as it and the client. */
int cg__http_client_site_parse(struct cg_http_client *client, struct cg__url *url,
                               const char *text, const char **why);

void cg__http_client_site_free(struct cg_http_client *client);

#endif
