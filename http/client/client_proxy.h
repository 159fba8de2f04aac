/* SPDX-License-Identifier: MIT */
/* Which proxy a request goes through. */
#ifndef COGEN_HTTP_CLIENT_CLIENT_PROXY_H
#define COGEN_HTTP_CLIENT_CLIENT_PROXY_H

#include "http/message/url.h"

/* Texts of the client's: URLs of proxies, NULL: none; the exceptions, NULL: none. */
struct cg__proxies {
    char *http, *https, *except;
};

/* The URL of the proxy for a URL; NULL: it is to be asked directly. */
const char *cg__http_client_proxy_for(const struct cg__proxies *proxies,
                                      const struct cg__url *url);

/* Whether a list in the manner of no_proxy has the host: "*", "example.org" (and all below
 * it), ".example.org", "10.0.0.1", "[::1]", each perhaps with ":port"; "10.0.0.0/8",
 * "fd00::/8". A network has only hosts that the URL names by an address. */
bool cg__http_client_proxy_excepts(const char *list, const char *host, unsigned port);

enum cg__proxy_text { CG__PROXY_HTTP, CG__PROXY_HTTPS, CG__PROXY_EXCEPT };

/* What the environment says; NULL: nothing. A variable in lower case goes before that in
 * upper case, and a scheme's own before ALL_PROXY; an empty one is as if it were not set.
 * HTTP_PROXY is never read: to a CGI program it is the field "Proxy" of whoever asks. */
const char *cg__http_client_proxy_variable(enum cg__proxy_text text);

#endif
