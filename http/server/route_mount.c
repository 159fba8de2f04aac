/* SPDX-License-Identifier: MIT */
/* Patterns, and the handlers that are mounted on them. */
#include "config.h"

#include "http/server/route.h"
#include "http/server/route_host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Negative: the first is more specific; 0: both match the same requests. Text is more
 * specific than a ":name", a longer pattern more specific than its beginning. */
static int compare(const struct cg__http_route *one, const struct cg__http_route *other)
{
    const char *a = one->pattern, *b = other->pattern;

    if (cg__http_route_is_all(a) != cg__http_route_is_all(b))
        return cg__http_route_is_all(a) ? 1 : -1;
    while (*a != '\0' && *b != '\0') {
        if (*a == ':' && *b == ':' && a[-1] == '/' && b[-1] == '/') {
            a += strcspn(a, "/");
            b += strcspn(b, "/");
            continue;
        }
        if (*a != *b)
            return *a == ':' ? 1 : *b == ':' ? -1 : *a < *b ? -1 : 1;
        a++;
        b++;
    }
    if (*a != *b)
        return *a != '\0' ? -1 : 1;
    if (one->method == NULL || other->method == NULL)
        return (one->method == NULL) - (other->method == NULL);
    return strcmp(one->method, other->method);
}

static bool is_pattern(const char *pattern)
{
    unsigned params = 0;

    if (*pattern != '/')
        return cg__http_route_is_all(pattern);
    for (const char *at = pattern; (at = strchr(at, ':')) != NULL; at++)
        if (at[-1] == '/' && (strchr("/:", at[1]) != NULL || ++params > CG_HTTP_PARAMS_LIMIT))
            return false;
    return true;
}

int cg__http_route_code(const char *method, size_t len)
{
#define CODE(number, name, text)                                                       \
    if (len == sizeof #text - 1 && memcmp(method, #text, len) == 0)                    \
        return number;
    HTTP_METHOD_MAP(CODE)
#undef CODE
    return -1;
}

/* The length of the path that equals the pattern; 0: the pattern is not a plain path. */
static size_t whole_size(const char *pattern)
{
    size_t size = strlen(pattern);

    if (cg__http_route_is_all(pattern) || strstr(pattern, "/:") != NULL)
        return 0;
    return pattern[size - 1] == '$' ? size - 1 : size;
}

/* Builds the hash table; each bucket is in the order of the routes. */
static void make_whole(struct cg__http_routes *routes)
{
    memset(routes->whole, 0, sizeof routes->whole);
    for (size_t i = routes->count; i > 0; i--) {
        struct cg__http_route *route = &routes->list[i - 1];
        uint32_t *slot = cg__http_route_slot(routes, route->pattern, route->whole);

        if (route->whole == 0)
            continue;
        route->next = *slot;
        *slot = (uint32_t)i;
    }
}

/* Inserts a route at its place. 0, -EEXIST or -ENOMEM. */
static int insert(struct cg__http_routes *routes, struct cg__http_route *route)
{
    size_t at = 0;
    struct cg__http_route *list;

    while (at < routes->count && compare(&routes->list[at], route) < 0)
        at++;
    if (at < routes->count && compare(&routes->list[at], route) == 0)
        return -EEXIST;
    list = realloc(routes->list, (routes->count + 1) * sizeof *list);
    if (list == NULL)
        return -ENOMEM;
    memmove(&list[at + 1], &list[at], (routes->count - at) * sizeof *list);
    list[at] = *route;
    routes->list = list;
    routes->count++;
    make_whole(routes);
    return 0;
}

/* Fills in a route's texts. 0, -EINVAL or -ENOMEM. */
static int make_route(struct cg__http_route *route, const char *method, size_t method_len,
                      const char *path)
{
    size_t size = strlen(path) + 1;

    route->code = -1;
    if (!is_pattern(path))
        return -EINVAL;
    route->pattern = malloc(size + method_len + 1);
    if (route->pattern == NULL)
        return -ENOMEM;
    memcpy(route->pattern, path, size);
    route->whole = whole_size(route->pattern);
    if (method_len > 0) {
        char *copy = route->pattern + size;

        memcpy(copy, method, method_len);
        copy[method_len] = '\0';
        route->method = copy;
        route->code = cg__http_route_code(copy, method_len);
        if (route->code < 0) /* the parser accepts no request with it */
            return -EINVAL;
    }
    return 0;
}

int cg_http_server_mount(struct cg_http_server *server, const char *pattern,
                         cg_http_handler *handler, void *arg)
{
    size_t method_len = strcspn(pattern, " "), host_len;
    struct cg__http_route route = {.handler = handler, .arg = arg};
    struct cg__http_routes *routes;
    const char *rest = pattern + method_len + 1;
    int rc = -EINVAL;

    if (pattern[method_len] == '\0') {
        rest = pattern;
        method_len = 0;
    } else if (method_len == 0) {
        return -EINVAL;
    }
    host_len = cg__http_route_is_all(rest) ? 0 : strcspn(rest, "/");
    if (handler != NULL)
        rc = make_route(&route, pattern, method_len, rest + host_len);
    routes = rc == 0 ? cg__http_route_host_make(server, rest, host_len, &rc) : NULL;
    if (routes != NULL)
        rc = insert(routes, &route);
    if (rc < 0)
        free(route.pattern);
    return rc;
}

static void free_list(struct cg__http_routes *routes)
{
    for (size_t i = 0; i < routes->count; i++)
        free(routes->list[i].pattern);
    free(routes->list);
}

void cg__http_route_free(struct cg_http_server *server)
{
    free_list(&server->routes);
    for (size_t i = 0; i < server->nhosts; i++) {
        free_list(server->hosts[i]);
        free(server->hosts[i]->host);
        free(server->hosts[i]);
    }
    free(server->hosts);
}
