/* SPDX-License-Identifier: MIT */
/* Patterns and the handlers mounted on them. The most special pattern stands first, so that
 * the first that fits is the one. */
#include "config.h"

#include "http/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "*": every target, a CONNECT's and "OPTIONS *" too. */
static bool is_all(const char *pattern)
{
    return pattern[0] == '*' && pattern[1] == '\0';
}

/* Negative: a is more special than b; 0: the same requests fit both. Text is more special than
 * a ":name", and more of either than less. */
static int compare(const struct cg__http_route *one, const struct cg__http_route *other)
{
    const char *a = one->pattern, *b = other->pattern;

    if (is_all(a) != is_all(b))
        return is_all(a) ? 1 : -1;
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
        return is_all(pattern);
    for (const char *at = pattern; (at = strchr(at, ':')) != NULL; at++)
        if (at[-1] == '/' && (strchr("/:", at[1]) != NULL || ++params > CG_HTTP_PARAMS_LIMIT))
            return false;
    return true;
}

int cg_http_mount(struct cg_http_server *server, const char *pattern,
                  cg_http_handler *handler, void *arg)
{
    size_t method = strcspn(pattern, " "), at = 0;
    struct cg__http_route route = {.handler = handler, .arg = arg}, *routes;
    bool any = pattern[method] == '\0';

    if (handler == NULL || !is_pattern(any ? pattern : pattern + method + 1) ||
        (!any && !cg__http_is_token(pattern, method)))
        return -EINVAL;
    route.pattern = malloc(strlen(pattern) + 2);
    routes = realloc(server->routes, (server->nroutes + 1) * sizeof *routes);
    if (routes != NULL)
        server->routes = routes;
    if (route.pattern == NULL || routes == NULL) {
        free(route.pattern);
        return -ENOMEM;
    }
    strcpy(route.pattern, any ? pattern : pattern + method + 1);
    if (!any) {
        char *copy = route.pattern + strlen(route.pattern) + 1;

        memcpy(copy, pattern, method);
        copy[method] = '\0';
        route.method = copy;
    }
    while (at < server->nroutes && compare(&routes[at], &route) < 0)
        at++;
    if (at < server->nroutes && compare(&routes[at], &route) == 0) {
        free(route.pattern);
        return -EEXIST;
    }
    memmove(&routes[at + 1], &routes[at], (server->nroutes - at) * sizeof *routes);
    routes[at] = route;
    server->nroutes++;
    return 0;
}

void cg__http_routes_free(struct cg_http_server *server)
{
    for (size_t i = 0; i < server->nroutes; i++)
        free(server->routes[i].pattern);
    free(server->routes);
}

/* ---- Matching -------------------------------------------------------------------- */

/* Whether a path fits a pattern; `params` gets the places of its parts, in pairs. */
static bool fits(const char *pattern, const char *path, const char **params, unsigned *count)
{
    const char *start = path;

    *count = 0;
    if (is_all(pattern))
        return true;
    for (;;) {
        if (*pattern == ':' && path > start && path[-1] == '/') {
            size_t size = strcspn(path, "/");

            if (size == 0)
                return false;
            params[2 * *count] = pattern + 1;
            params[2 * (*count)++ + 1] = path;
            pattern += strcspn(pattern, "/");
            path += size;
        } else if (pattern[0] == '$' && pattern[1] == '\0') {
            return *path == '\0';
        } else if (*pattern == '\0') {
            break;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    if (path[-1] == '/' && pattern[-1] == '/') {
        params[2 * *count] = "*";
        params[2 * (*count)++ + 1] = path;
        return true;
    }
    return *path == '\0';
}

static bool method_fits(const struct cg__http_route *route, const char *method)
{
    return route->method == NULL || strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

/* Copies the parts behind the path. */
static bool set_params(struct cg_http_request *req, const char **params, unsigned count)
{
    struct cg_http_headers *list = &req->params;
    size_t places[CG_HTTP_PARAMS_LIMIT + 1], wanted = strlen(cg_http_path(req));

    for (unsigned i = 0; i < count; i++) {
        places[i] = (size_t)(params[2 * i + 1] - cg_http_path(req));
        wanted += strcspn(params[2 * i], "/") + 2 + sizeof(struct cg__http_entry);
    }
    if (cg__http_reserve(list, wanted) < 0) /* so that the path stays where it is */
        return false;
    for (unsigned i = 0; i < count; i++) {
        const char *name = params[2 * i], *value = cg_http_path(req) + places[i];
        bool rest = *name == '*';
        size_t name_len = rest ? 1 : strcspn(name, "/");
        size_t size = rest ? strlen(value) : strcspn(value, "/");
        struct cg__http_entry entry = {list->used, (uint32_t)name_len,
                                       list->used + (uint32_t)name_len + 1, (uint32_t)size};

        if (cg__http_text(list, name, name_len) < 0 || cg__http_text(list, "", 1) < 0 ||
            cg__http_text(list, value, size) < 0 || cg__http_text(list, "", 1) < 0 ||
            cg__http_entry_push(list, entry) < 0)
            return false;
    }
    return true;
}

/* The methods of the patterns that the path fits, for Allow. */
static void set_allow(struct cg_http_request *req, const char *path)
{
    const char *params[2 * CG_HTTP_PARAMS_LIMIT + 2];
    char allow[256] = "";
    size_t size = 0;
    unsigned count;

    for (size_t i = 0; i < req->server->nroutes; i++) {
        const struct cg__http_route *route = &req->server->routes[i];

        if (!fits(route->pattern, path, params, &count) || is_all(route->pattern) ||
            size > sizeof allow - 64 || strlen(route->method) > 32 || cg__http_has_word(allow, route->method))
            continue;
        size += (size_t)sprintf(allow + size, "%s%s", size ? ", " : "", route->method);
        if (strcmp(route->method, "GET") == 0)
            size += (size_t)sprintf(allow + size, ", HEAD");
    }
    cg_http_headers_set(&req->out, "Allow", allow);
}

const struct cg__http_route *cg__http_route(struct cg_http_request *req, int *status)
{
    const char *params[2 * CG_HTTP_PARAMS_LIMIT + 2];
    const char *method = req->parser.method, *path = cg_http_path(req);
    bool options = strcmp(method, "OPTIONS") == 0;
    unsigned count;

    *status = options && strcmp(path, "*") == 0 ? 204 : 404;
    for (size_t i = 0; i < req->server->nroutes; i++) {
        const struct cg__http_route *route = &req->server->routes[i];

        if (!fits(route->pattern, path, params, &count))
            continue;
        if (method_fits(route, method)) {
            if (count == 0 || set_params(req, params, count))
                return route;
            *status = 503;
            return NULL;
        }
        if (!is_all(route->pattern))
            *status = options ? 204 : 405;
    }
    if (*status == 405 || (options && *status == 204 && *path == '/'))
        set_allow(req, path);
    return NULL;
}
