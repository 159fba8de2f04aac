/* SPDX-License-Identifier: MIT */
/* Which proxy a request uses. */
#ifndef COGEN_HTTP_CLIENT_POOL_PROXY_H
#define COGEN_HTTP_CLIENT_POOL_PROXY_H

#include "http/message/url.h"

/* The URLs of proxies, and the hosts that need none; owned by the client; NULL: none. */
struct cg__proxies {
    char *http, *https, *except;
};

/* The URL of the proxy for a URL; NULL: connect directly. */
const char *cg__http_client_pool_proxy_for(const struct cg__proxies *proxies,
                                           const struct cg__url *url);

/* Whether a list like no_proxy matches the host. Items: "*"; "example.org", which
 * includes its subdomains; ".example.org"; "10.0.0.1"; "[::1]"; each with an optional
 * ":port"; "10.0.0.0/8"; "fd00::/8". Addresses and networks match only hosts that are
 * addresses. */
bool cg__http_client_pool_proxy_excepts(const char *list, const char *host, unsigned port);

enum cg__proxy_text { CG__PROXY_HTTP, CG__PROXY_HTTPS, CG__PROXY_EXCEPT };

/* The value from the environment; NULL: unset. A name in lower case takes precedence over
 * upper case, and the variable of a scheme over ALL_PROXY; an empty variable counts as
 * unset. HTTP_PROXY is never read: in a CGI program it is the field "Proxy" of the
 * client. */
const char *cg__http_client_pool_proxy_variable(enum cg__proxy_text text);

#endif
