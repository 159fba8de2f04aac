/* SPDX-License-Identifier: MIT */
/* Addresses as text. The parser is strict: it refuses the short and hexadecimal forms that
 * inet_aton accepts ("127.1", "0x7f.1"). */
#include "config.h"

#include "lib/base/ascii.h"
#include "sockets/resolve/addr.h"

#include <cogen/base.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_unix(const char *path, struct cg_addr *addr)
{
    size_t length = strlen(path);

    if (length < 1 || length > sizeof addr->un.sun_path || strcmp(path, "@") == 0)
        return CG_EADDR;
    *addr = (struct cg_addr){.un = {.sun_family = AF_UNIX}};
    memcpy(addr->un.sun_path, path, length);
    addr->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (path[0] == '@')
        addr->un.sun_path[0] = '\0'; /* an abstract name has no NUL at its end */
    else if (length < sizeof addr->un.sun_path)
        addr->len++;
    return 1;
}

long cg__addr_port(const char *text)
{
    uint64_t port;

    if (strnlen(text, 6) > 5 || !cg__ascii_number(&text, &port) || *text != '\0')
        return -1;
    return port <= 65535 ? (long)port : -1;
}

static int set_in(struct cg_addr *addr, const char *host, in_port_t port)
{
    *addr = (struct cg_addr){.in = {.sin_family = AF_INET, .sin_port = port}};
    addr->len = sizeof addr->in;
    return inet_pton(AF_INET, host, &addr->in.sin_addr) == 1 ? 1 : CG_EADDR;
}

/* Reads an IPv6 address, which may have a zone: "fe80::1%eth0", "fe80::1%2". */
static int set_in6(struct cg_addr *addr, char *host, in_port_t port)
{
    char *zone = strchr(host, '%');

    *addr = (struct cg_addr){.in6 = {.sin6_family = AF_INET6, .sin6_port = port}};
    addr->len = sizeof addr->in6;
    if (zone != NULL) {
        const char *end = zone + 1;
        uint64_t number;

        *zone++ = '\0';
        if (cg__ascii_number(&end, &number) && *end == '\0' && number <= UINT32_MAX)
            addr->in6.sin6_scope_id = (uint32_t)number;
        else if ((addr->in6.sin6_scope_id = if_nametoindex(zone)) == 0)
            return CG_EADDR;
    }
    return inet_pton(AF_INET6, host, &addr->in6.sin6_addr) == 1 ? 1 : CG_EADDR;
}

bool cg__addr_same_host(const char *a, const char *b)
{
    size_t length = strlen(a), other = strlen(b);

    length -= length > 0 && a[length - 1] == '.';
    other -= other > 0 && b[other - 1] == '.';
    return length == other && cg__ascii_same(a, b, length);
}

/* Whether inet_aton, and so the system's resolver, would read a label as a number. */
static bool is_number(const char *label)
{
    if (label[0] == '0' && (label[1] == 'x' || label[1] == 'X'))
        return label[2 + strspn(label + 2, "0123456789abcdefABCDEF")] == '\0';
    return *label != '\0' && label[strspn(label, "0123456789")] == '\0';
}

static bool is_name(const char *host)
{
    const char *last = strrchr(host, '.');

    if (host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "0123456789-._")] != '\0')
        return false;
    /* A number is no top-level domain, so this is an invalid IPv4 address and not a
     * name. */
    return !is_number(last == NULL ? host : last + 1);
}

int cg__addr_host(const char *host, struct cg_addr *addr)
{
    char copy[CG_HOST_SIZE];

    if (strlen(host) >= sizeof copy)
        return CG_EADDR;
    if (strchr(host, ':') != NULL)
        return set_in6(addr, strcpy(copy, host), 0);
    if (set_in(addr, host, 0) > 0)
        return 1;
    return host[0] != '\0' && is_name(host) ? 0 : CG_EADDR;
}

bool cg__addr_split(const char *text, char name[static CG_HOST_SIZE], char port[static 6])
{
    const char *colon = text != NULL ? strrchr(text, ':') : NULL;
    size_t length = colon != NULL ? (size_t)(colon - text) : 0;
    struct cg_addr addr;

    if (length == 0 || length >= CG_HOST_SIZE || cg__addr_port(colon + 1) <= 0 ||
        strncmp(text, "unix:", 5) == 0)
        return false;
    memcpy(name, text, length);
    name[length] = '\0';
    strcpy(port, colon + 1);
    return strchr(name, ':') == NULL && cg__addr_host(name, &addr) == 0;
}

/* A hosts file may list an address twice. */
static bool is_among(const struct cg_addr *list, int count, const struct cg_addr *addr)
{
    for (int i = 0; i < count; i++)
        if (list[i].len == addr->len && memcmp(&list[i].base, &addr->base, addr->len) == 0)
            return true;
    return false;
}

static int look_up(const char *host, in_port_t port, struct cg_addr *list, size_t n)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int count = 0;

    switch (getaddrinfo(host, NULL, &hints, &found)) {
    case 0:
        break;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return errno > 0 ? -errno : CG_EHOST;
    default:
        return CG_EHOST;
    }
    for (struct addrinfo *info = found; info != NULL && (size_t)count < n;
         info = info->ai_next) {
        struct cg_addr *addr = &list[count];

        if (info->ai_family == AF_INET)
            addr->len = sizeof addr->in;
        else if (info->ai_family == AF_INET6)
            addr->len = sizeof addr->in6;
        else
            continue;
        memcpy(&addr->base, info->ai_addr, addr->len);
        *cg__addr_port_of(addr) = port;
        count += !is_among(list, count, addr);
    }
    freeaddrinfo(found);
    return count > 0 ? count : CG_EHOST;
}

static int set_both(struct cg_addr *list, size_t n, const char *v6, const char *v4,
                    in_port_t port)
{
    char copy[INET6_ADDRSTRLEN];

    set_in6(&list[0], strcpy(copy, v6), port);
    if (n < 2)
        return 1;
    set_in(&list[1], v4, port);
    return 2;
}

int cg__addr_parse(const char *text, bool listener, struct cg_addr *list, size_t n)
{
    char host[CG_HOST_SIZE];
    const char *colon;
    size_t length;
    long port;

    if (text == NULL)
        return CG_EADDR;
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(text + 5, list);
    colon = strrchr(text, ':');
    if (colon == NULL)
        return CG_EADDR;
    port = cg__addr_port(colon + 1);
    if (port < 0 || (port == 0 && !listener))
        return CG_EADDR;
    port = htons((uint16_t)port);
    length = (size_t)(colon - text);
    if (length == 0)
        return listener ? set_both(list, n, "::", "0.0.0.0", (in_port_t)port) : CG_EADDR;
    if (length >= sizeof host)
        return CG_EADDR;
    memcpy(host, text, length);
    host[length] = '\0';
    if (host[0] == '[') {
        if (host[length - 1] != ']')
            return CG_EADDR;
        host[length - 1] = '\0';
        return set_in6(list, host + 1, (in_port_t)port);
    }
    if (set_in(list, host, (in_port_t)port) > 0)
        return 1;
    if (!is_name(host))
        return CG_EADDR;
    if (cg__addr_same_host(
            host, "localhost")) /* RFC 6761: always this host, whatever a resolver says */
        return set_both(list, n, "::1", "127.0.0.1", (in_port_t)port);
    return look_up(host, (in_port_t)port, list, n);
}

static int print_unix(const struct sockaddr_un *un, socklen_t addrlen, char *buf,
                      size_t size)
{
    size_t head = offsetof(struct sockaddr_un, sun_path);
    int length = addrlen > head ? (int)(addrlen - head) : 0;

    /* The kernel counts a NUL also behind a path that leaves no room for one. */
    if (length > (int)sizeof un->sun_path)
        length = sizeof un->sun_path;
    if (length > 0 && un->sun_path[0] == '\0')
        return snprintf(buf, size, "unix:@%.*s", length - 1, un->sun_path + 1);
    return snprintf(buf, size, "unix:%.*s", length, un->sun_path);
}

static int print_in6(const struct sockaddr_in6 *in6, char *buf, size_t size)
{
    char host[INET6_ADDRSTRLEN];
    const char *shown = host;
    int port = ntohs(in6->sin6_port);

    inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
        return snprintf(buf, size, "%s:%d", shown + strlen("::ffff:"), port);
    if (in6->sin6_scope_id != 0)
        return snprintf(buf, size, "[%s%%%u]:%d", host, (unsigned)in6->sin6_scope_id, port);
    return snprintf(buf, size, "[%s]:%d", host, port);
}

int cg__addr_print(const struct sockaddr *addr, socklen_t addrlen, char *buf, size_t size)
{
    char host[INET_ADDRSTRLEN];
    int written;

    /* For an unnamed UNIX socket the kernel may return only a family, or nothing. */
    switch (addrlen < sizeof addr->sa_family ? AF_UNSPEC : addr->sa_family) {
    case AF_INET: {
        const struct sockaddr_in *in = (const struct sockaddr_in *)addr;

        inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
        written = snprintf(buf, size, "%s:%d", host, ntohs(in->sin_port));
        break;
    }
    case AF_INET6:
        written = print_in6((const struct sockaddr_in6 *)addr, buf, size);
        break;
    case AF_UNIX:
        written = print_unix((const struct sockaddr_un *)addr, addrlen, buf, size);
        break;
    default:
        return -EAFNOSUPPORT;
    }
    return written >= 0 && (size_t)written < size ? 0 : -ENOSPC;
}
