/* SPDX-License-Identifier: MIT */
/* Which proxy a request uses. See proxy.h. */
#include "config.h"

#include "http/client/pool/proxy.h"
#include "lib/base/ascii.h"
#include "lib/base/network.h"

#include <stdlib.h>
#include <string.h>

/* Whether the digits after a colon are this port number. */
static bool is_port(const char *colon, unsigned port)
{
    uint64_t number;

    colon++;
    return cg__ascii_number(&colon, &number) && number == port;
}

/* Removes ":port" and brackets from an item. False: it is for another port. An IPv6
 * address can have a port only if it is in brackets. */
static bool fits_port(const char **item, size_t *len, unsigned port)
{
    const char *colon = memchr(*item, ':', *len);

    if (**item == '[') {
        const char *end = memchr(*item, ']', *len);

        if (end == NULL)
            return false;
        colon = end + 1 < *item + *len && end[1] == ':' ? end + 1 : NULL;
        if (colon && !is_port(colon, port))
            return false;
        *len = (size_t)(end - ++*item);
        return true;
    }
    if (colon == NULL || memchr(colon + 1, ':', *len - (size_t)(colon + 1 - *item)))
        return true;
    *len = (size_t)(colon - *item);
    return is_port(colon, port);
}

/* Whether an item is the host's name or a parent domain of it. A "." or "*." before the
 * item, and a dot at the end of a name, are ignored. */
static bool fits_name(const char *item, size_t len, const char *host)
{
    size_t all = strlen(host);

    if (len > 1 && *item == '*' && item[1] == '.')
        item++, len--;
    if (len > 0 && *item == '.')
        item++, len--;
    len -= len > 0 && item[len - 1] == '.';
    all -= all > 0 && host[all - 1] == '.';
    if (len == 0 || len > all || !cg__ascii_same(host + all - len, item, len))
        return false;
    return len == all || host[all - len - 1] == '.';
}

static bool fits(const char *item, size_t len, const char *host, unsigned port)
{
    struct cg__network_address address;

    if (len == 1 && *item == '*')
        return true;
    if (!fits_port(&item, &len, port))
        return false;
    return cg__network_address(&address, host, strlen(host))
               ? cg__network_has(item, len, &address)
               : fits_name(item, len, host);
}

bool cg__http_client_pool_proxy_excepts(const char *list, const char *host, unsigned port)
{
    while (*list) {
        size_t len;

        list += strspn(list, ", \t");
        len = strcspn(list, ", \t");
        if (len > 0 && fits(list, len, host, port))
            return true;
        list += len;
    }
    return false;
}

const char *cg__http_client_pool_proxy_for(const struct cg__proxies *proxies,
                                           const struct cg__url *url)
{
    const char *proxy = url->https ? proxies->https : proxies->http;

    if (proxy == NULL || *proxy == '\0')
        return NULL;
    if (proxies->except &&
        cg__http_client_pool_proxy_excepts(proxies->except, url->host, url->port))
        return NULL;
    return proxy;
}

/* The value of the first variable that is set and not empty. */
static const char *variable(const char *const *names)
{
    const char *value = NULL;

    for (; *names && (value == NULL || *value == '\0'); names++)
        value = getenv(*names);
    return value;
}

const char *cg__http_client_pool_proxy_variable(enum cg__proxy_text text)
{
    static const char *const names[][5] = {
        [CG__PROXY_HTTP] = {"http_proxy", "all_proxy", "ALL_PROXY"},
        [CG__PROXY_HTTPS] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"},
        [CG__PROXY_EXCEPT] = {"no_proxy", "NO_PROXY"},
    };

    return variable(names[text]);
}
