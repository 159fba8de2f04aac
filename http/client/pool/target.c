/* SPDX-License-Identifier: MIT */
/* See target.h. */
#include "config.h"

#include "http/client/pool/target.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "HOST:PORT"; either may be "*", and a missing port is "*". */
struct pair {
    const char *host;
    size_t host_len;
    const char *port;
};

static bool is_any(const char *text, size_t len)
{
    return len == 1 && *text == '*';
}

static struct pair split(const char *text)
{
    const char *colon = strrchr(text, ':'), *bracket = strrchr(text, ']');

    if (colon == NULL || (bracket != NULL && colon < bracket))
        return (struct pair){text, strlen(text), "*"};
    return (struct pair){text, (size_t)(colon - text), colon + 1};
}

static bool fits(const char *origin, const struct cg__url *url)
{
    struct pair pair = split(origin);
    uint64_t port;

    if (strcmp(pair.port, "*") != 0 &&
        !(cg__ascii_is_number(pair.port, &port) && port == url->port))
        return false;
    if (is_any(pair.host, pair.host_len))
        return true;
    if (pair.host_len > 1 && *pair.host == '[')
        pair.host++, pair.host_len -= 2;
    return pair.host_len == strlen(url->host) &&
           cg__ascii_same(pair.host, url->host, pair.host_len);
}

/* Replaces "*" by what the URL has. NULL: no memory. */
static char *address(const char *template, const struct cg__url *url)
{
    struct pair pair = split(template), own = split(url->addr);
    size_t size = strlen(template) + strlen(url->addr) + 2;
    char *addr;

    if (strncmp(template, "unix:", 5) == 0)
        return strdup(template);
    addr = malloc(size);
    if (addr == NULL)
        return NULL;
    if (is_any(pair.host, pair.host_len))
        pair.host = own.host, pair.host_len = own.host_len;
    snprintf(addr, size, "%.*s:%s", (int)pair.host_len, pair.host,
             is_any(pair.port, strlen(pair.port)) ? own.port : pair.port);
    return addr;
}

int cg__http_client_pool_target_find(const struct cg_http_target *list,
                                     const struct cg__url *url, char **addr)
{
    *addr = NULL;
    while (list != NULL && list->origin != NULL && !fits(list->origin, url))
        list++;
    if (list == NULL || list->origin == NULL)
        return 0;
    *addr = address(list->addr, url);
    return *addr != NULL ? 0 : -ENOMEM;
}

struct cg_http_target *cg__http_client_pool_target_copy(const struct cg_http_target *list)
{
    size_t count = 0, texts = 0;
    struct cg_http_target *copy;
    char *at;

    for (; list[count].origin != NULL; count++)
        texts += strlen(list[count].origin) + strlen(list[count].addr) + 2;
    copy = malloc((count + 1) * sizeof *copy + texts);
    if (copy == NULL)
        return NULL;
    at = (char *)(copy + count + 1);
    for (size_t i = 0; i < count; i++) {
        copy[i].origin = at;
        at = stpcpy(at, list[i].origin) + 1;
        copy[i].addr = at;
        at = stpcpy(at, list[i].addr) + 1;
    }
    copy[count] = (struct cg_http_target){.origin = NULL};
    return copy;
}
