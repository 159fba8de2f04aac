/* SPDX-License-Identifier: MIT */
/* Which proxy a request goes through. */
#ifndef COGEN_HTTP_PROXY_H
#define COGEN_HTTP_PROXY_H

#include "http/url.h"

/* Texts of the client's: URLs of proxies, NULL: none; the exceptions, NULL: none. */
struct cg__proxies {
    char *http, *https, *except;
};

/* The URL of the proxy for a URL; NULL: it is to be asked directly. */
const char *cg__proxy_for(const struct cg__proxies *proxies, const struct cg__url *url);

/* Whether a list in the manner of no_proxy has the host: "*", "example.org" (and all below
 * it), ".example.org", "10.0.0.1", "[::1]", each perhaps with ":port". */
bool cg__proxy_excepts(const char *list, const char *host, unsigned port);

#endif
