/* SPDX-License-Identifier: MIT */
/* Which proxy a request uses. See client_proxy.h. */
#include "config.h"

#include "http/client/client_proxy.h"
#include "lib/base/ascii.h"

#include <arpa/inet.h>
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

/* An IP address; an IPv4-mapped IPv6 address is stored as IPv4. */
struct address {
    unsigned char bytes[16];
    unsigned bits; /* 32 or 128 */
};

static bool take_address(struct address *address, const char *text, size_t len)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    char copy[INET6_ADDRSTRLEN];

    if (len >= sizeof copy)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    address->bits = 32;
    if (inet_pton(AF_INET, copy, address->bytes) == 1)
        return true;
    address->bits = 128;
    if (inet_pton(AF_INET6, copy, address->bytes) != 1)
        return false;
    if (memcmp(address->bytes, mapped, sizeof mapped) == 0) {
        memmove(address->bytes, address->bytes + sizeof mapped, 4);
        address->bits = 32;
    }
    return true;
}

static bool has_prefix(const struct address *address, const struct address *net, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    return memcmp(address->bytes, net->bytes, whole) == 0 &&
           (rest == 0 || (address->bytes[whole] ^ net->bytes[whole]) >> (8 - rest) == 0);
}

/* Whether an item is an address or a network ("10.0.0.0/8") that includes the host. */
static bool fits_address(const char *item, size_t len, const struct address *host)
{
    const char *slash = memchr(item, '/', len), *digits = slash ? slash + 1 : NULL;
    struct address net;
    uint64_t bits;

    if (!take_address(&net, item, slash ? (size_t)(slash - item) : len) ||
        net.bits != host->bits)
        return false;
    if (slash == NULL)
        bits = net.bits;
    else if (!cg__ascii_number(&digits, &bits) || digits != item + len || bits > net.bits)
        return false;
    return has_prefix(host, &net, (unsigned)bits);
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
    struct address address;

    if (len == 1 && *item == '*')
        return true;
    if (!fits_port(&item, &len, port))
        return false;
    return take_address(&address, host, strlen(host)) ? fits_address(item, len, &address)
                                                      : fits_name(item, len, host);
}

bool cg__http_client_proxy_excepts(const char *list, const char *host, unsigned port)
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

const char *cg__http_client_proxy_for(const struct cg__proxies *proxies,
                                      const struct cg__url *url)
{
    const char *proxy = url->https ? proxies->https : proxies->http;

    if (proxy == NULL || *proxy == '\0')
        return NULL;
    if (proxies->except &&
        cg__http_client_proxy_excepts(proxies->except, url->host, url->port))
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

const char *cg__http_client_proxy_variable(enum cg__proxy_text text)
{
    static const char *const names[][5] = {
        [CG__PROXY_HTTP] = {"http_proxy", "all_proxy", "ALL_PROXY"},
        [CG__PROXY_HTTPS] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"},
        [CG__PROXY_EXCEPT] = {"no_proxy", "NO_PROXY"},
    };

    return variable(names[text]);
}
