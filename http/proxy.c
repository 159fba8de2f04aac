/* SPDX-License-Identifier: MIT */
/* See proxy.h. */
#include "config.h"

#include "http/proxy.h"
#include "lib/ascii.h"

#include <string.h>

/* Whether the digits behind a colon are this port. */
static bool is_port(const char *colon, unsigned port)
{
    uint64_t number;

    colon++;
    return cg__ascii_number(&colon, &number) && number == port;
}

/* Cuts ":port" off an item: false if it is that of another port. Colons of an IPv6 address
 * are none, unless it is in brackets, which go too. */
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

static bool is_address(const char *host)
{
    return host[strspn(host, "0123456789.")] == '\0' || strchr(host, ':') != NULL;
}

static bool fits(const char *item, size_t len, const char *host, unsigned port)
{
    size_t all = strlen(host);

    if (len == 1 && *item == '*')
        return true;
    if (!fits_port(&item, &len, port))
        return false;
    if (len > 1 && *item == '*' && item[1] == '.')
        item++, len--;
    if (len > 0 && *item == '.')
        item++, len--;
    if (len == 0 || len > all || !cg__ascii_same(host + all - len, item, len))
        return false;
    return len == all || (host[all - len - 1] == '.' && !is_address(host));
}

bool cg__proxy_excepts(const char *list, const char *host, unsigned port)
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

const char *cg__proxy_for(const struct cg__proxies *proxies, const struct cg__url *url)
{
    const char *proxy = url->https ? proxies->https : proxies->http;

    if (proxy == NULL || *proxy == '\0')
        return NULL;
    if (proxies->except && cg__proxy_excepts(proxies->except, url->host, url->port))
        return NULL;
    return proxy;
}
