/* SPDX-License-Identifier: MIT */
/* Virtual hosts: the routes of single hosts. */
#include "config.h"

#include "http/server/route_host.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { HOST_SIZE = 256 }; /* of a name of the DNS, with its NUL */

/* Copies a host in lower case, without a dot at its end. False: it is too long, or has
 * other bytes than those of names and addresses. */
static bool copy_host(char *to, const char *host, size_t len)
{
    if (len > 0 && host[len - 1] == '.')
        len--;
    if (len == 0 || len >= HOST_SIZE)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!cg__ascii_is_letter(host[i]) && !cg__ascii_is_digit(host[i]) &&
            strchr(host[0] == '[' ? ".:[]%" : ".-_*", host[i]) == NULL)
            return false;
        to[i] = cg__ascii_lower(host[i]);
    }
    to[len] = '\0';
    return true;
}

/* The index of a host's routes, or of the place where they are to be inserted. */
static size_t host_place(const struct cg_http_server *server, const char *host, bool *found)
{
    size_t from = 0, to = server->nhosts;

    *found = false;
    while (from < to && !*found) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(host, server->hosts[middle]->host);

        *found = order == 0;
        if (order > 0)
            from = middle + 1;
        else
            to = middle;
    }
    return to;
}

/* A host of a pattern: a name, "*." and a name, or an address, an IPv6 one in brackets. */
static bool is_host(const char *host)
{
    return strchr(host[0] == '*' && host[1] == '.' ? host + 1 : host, '*') == NULL;
}

struct cg__http_routes *cg__http_route_host_make(struct cg_http_server *server,
                                                 const char *text, size_t len, int *rc)
{
    struct cg__http_routes *routes, **hosts;
    char host[HOST_SIZE];
    bool found;
    size_t at;

    if (len == 0)
        return &server->routes;
    *rc = -EINVAL;
    if (!copy_host(host, text, len) || !is_host(host))
        return NULL;
    at = host_place(server, host, &found);
    if (found)
        return server->hosts[at];
    *rc = -ENOMEM;
    hosts = realloc(server->hosts, (server->nhosts + 1) * sizeof *hosts);
    if (hosts == NULL)
        return NULL;
    server->hosts = hosts;
    routes = calloc(1, sizeof *routes);
    if (routes == NULL || (routes->host = strdup(host)) == NULL) {
        free(routes);
        return NULL;
    }
    memmove(&hosts[at + 1], &hosts[at], (server->nhosts - at) * sizeof *hosts);
    hosts[at] = routes;
    server->nhosts++;
    return routes;
}

struct cg__http_routes *cg__http_route_host_of(const struct cg_http_request *req)
{
    struct cg_http_server *server = req->server;
    const char *text;
    char host[HOST_SIZE];
    bool found = false;
    size_t place;

    if (*req->path != '/' ||
        (text = cg_http_request_header(req, "Host")) == NULL ||
        !copy_host(host, text,
                   text[0] == '[' ? strcspn(text, "]") + 1 : strcspn(text, ":")))
        return &server->routes;
    place = host_place(server, host, &found);
    for (char *at = host; !found && (at = strchr(at + 1, '.')) != NULL;) {
        at[-1] = '*';
        place = host_place(server, at - 1, &found);
    }
    return found ? server->hosts[place] : &server->routes;
}
