/* SPDX-License-Identifier: MIT */
/* Patterns and the handlers mounted on them. The most specific pattern stands first, so
 * that the first match wins. A path that equals a pattern is found in a hash table. */
#include "config.h"

#include "http/server/request/request_target.h"
#include "http/server/route.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "*": every target, also those of CONNECT and "OPTIONS *". */
static bool is_all(const char *pattern)
{
    return pattern[0] == '*' && pattern[1] == '\0';
}

/* Negative: the first is more specific; 0: both match the same requests. Text is more
 * specific than a ":name", a longer pattern more specific than its beginning. */
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

static int code_of(const char *method)
{
#define CODE(number, name, text)                                                           \
    if (strcmp(method, #text) == 0)                                                        \
        return number;
    HTTP_METHOD_MAP(CODE)
#undef CODE
    return -1;
}

/* The length of the path that equals the pattern; 0: the pattern is not a plain path. */
static size_t whole_size(const char *pattern)
{
    size_t size = strlen(pattern);

    if (is_all(pattern) || strstr(pattern, "/:") != NULL)
        return 0;
    return pattern[size - 1] == '$' ? size - 1 : size;
}

static uint32_t *whole_slot(struct cg_http_server *server, const char *path, size_t size)
{
    unsigned hash = (unsigned)size + 5 * (unsigned char)path[size / 2] +
                    17 * (unsigned char)path[size - (size > 0)];

    return &server->whole[hash % CG__HTTP_SLOTS];
}

/* Builds the hash table; each bucket is in the order of the routes. */
static void make_whole(struct cg_http_server *server)
{
    memset(server->whole, 0, sizeof server->whole);
    for (size_t i = server->nroutes; i > 0; i--) {
        struct cg__http_route *route = &server->routes[i - 1];
        uint32_t *slot = whole_slot(server, route->pattern, route->whole);

        if (route->whole == 0)
            continue;
        route->next = *slot;
        *slot = (uint32_t)i;
    }
}

int cg_http_server_mount(struct cg_http_server *server, const char *pattern,
                         cg_http_handler *handler, void *arg)
{
    size_t method = strcspn(pattern, " "), at = 0;
    struct cg__http_route route = {.handler = handler, .arg = arg}, *routes;
    bool any = pattern[method] == '\0';

    if (handler == NULL || !is_pattern(any ? pattern : pattern + method + 1))
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
    route.code = -1;
    if (!any) {
        char *copy = route.pattern + strlen(route.pattern) + 1;

        memcpy(copy, pattern, method);
        copy[method] = '\0';
        route.method = copy;
        route.code = code_of(copy);
        if (route.code < 0) { /* the parser accepts no request with it */
            free(route.pattern);
            return -EINVAL;
        }
    }
    while (at < server->nroutes && compare(&routes[at], &route) < 0)
        at++;
    if (at < server->nroutes && compare(&routes[at], &route) == 0) {
        free(route.pattern);
        return -EEXIST;
    }
    memmove(&routes[at + 1], &routes[at], (server->nroutes - at) * sizeof *routes);
    route.whole = whole_size(route.pattern);
    routes[at] = route;
    server->nroutes++;
    make_whole(server);
    return 0;
}

void cg__http_route_free(struct cg_http_server *server)
{
    for (size_t i = 0; i < server->nroutes; i++)
        free(server->routes[i].pattern);
    free(server->routes);
}

/* Whether a path matches a pattern. `params` gets pairs of pointers: to a name in the
 * pattern and its segment in the path. *rest: the rest of the path after a pattern that
 * ends with a slash, or NULL. */
static bool fits(const char *pattern, const char *path, const char **params, unsigned *count,
                 const char **rest)
{
    const char *start = path;

    *count = 0;
    *rest = NULL;
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
    if (path[-1] == '/' && pattern[-1] == '/')
        *rest = path;
    return *path == '\0' || *rest != NULL;
}

static bool method_fits(const struct cg__http_route *route, int code)
{
    return route->method == NULL || route->code == code ||
           (code == HTTP_HEAD && route->code == HTTP_GET);
}

/* The segment of the target from which this segment of the path was decoded. The path has
 * as many slashes as the target's path. */
static const char *raw_segment(const struct cg_http_request *req, const char *segment)
{
    const char *raw = cg__http_request_target_raw_path(req);

    for (const char *at = req->path; at < segment; at++)
        if (*at == '/')
            raw += strcspn(raw, "/") + 1;
    return raw;
}

/* Adds a parameter with its wholly decoded value ("%2F" becomes a slash). */
static bool add_param(struct cg_http_headers *list, const char *name, const char *raw)
{
    size_t name_len = strcspn(name, "/"), size = strcspn(raw, "/?");
    struct cg__http_entry entry = {list->used, (uint32_t)name_len,
                                   list->used + (uint32_t)name_len + 1, 0};

    if (cg__http_message_text(list, name, name_len) < 0 ||
        cg__http_message_text(list, "", 1) < 0 ||
        cg__http_message_reserve(list, size + 1) < 0)
        return false;
    /* The whole path was decoded without an error, so this cannot fail. */
    entry.value_len = (uint32_t)cg__http_request_target_decode(
        cg__http_message_at(list, list->used), raw, size, false, true);
    list->used += entry.value_len + 1;
    list->data[list->used - 1] = '\0';
    return cg__http_message_entry_push(list, entry) == 0;
}

/* Adds the parameters to the list, which may have the decoded path at its start. */
static bool set_params(struct cg_http_request *req, const char **params, unsigned count)
{
    struct cg_http_headers *list = &req->params;
    size_t wanted = req->parser.text_len;
    bool behind = req->path == list->data;

    for (unsigned i = 0; i < count; i++) {
        params[2 * i + 1] = raw_segment(req, params[2 * i + 1]);
        wanted += strcspn(params[2 * i], "/") + 2 + sizeof(struct cg__http_entry);
    }
    if (cg__http_message_reserve(list, wanted) <
        0) /* so that adding does not move the path */
        return false;
    if (behind)
        req->path = list->data;
    for (unsigned i = 0; i < count; i++)
        if (!add_param(list, params[2 * i], params[2 * i + 1]))
            return false;
    return true;
}

/* Sets Allow to the methods of the patterns that match the path. 0 or -ENOMEM. */
static int set_allow(struct cg_http_request *req, const char *path)
{
    const char *params[2 * CG_HTTP_PARAMS_LIMIT], *rest;
    char allow[256] = "";
    size_t size = 0;
    unsigned count;

    for (size_t i = 0; i < req->server->nroutes; i++) {
        const struct cg__http_route *route = &req->server->routes[i];

        if (!fits(route->pattern, path, params, &count, &rest) ||
            is_all(route->pattern) || size > sizeof allow - 64 ||
            strlen(route->method) > 32 ||
            cg__http_message_has_word(allow, route->method))
            continue;
        size += (size_t)sprintf(allow + size, "%s%s", size ? ", " : "", route->method);
        if (strcmp(route->method, "GET") == 0)
            size += (size_t)sprintf(allow + size, ", HEAD");
    }
    return cg_http_headers_set(&req->out, "Allow", allow);
}

/* No route matches: the status of the response. `found`: other methods have one. */
static int no_route(struct cg_http_request *req, bool found)
{
    bool options = req->parser.code == HTTP_OPTIONS, all = strcmp(req->path, "*") == 0;

    if (found && (!options || *req->path == '/') && set_allow(req, req->path) < 0)
        return 503;
    if (options && (found || all))
        return 204;
    return found ? 405 : 404;
}

/* The route whose pattern equals the path: no other match is as specific. */
static const struct cg__http_route *whole_route(struct cg_http_request *req)
{
    struct cg_http_server *server = req->server;
    size_t size = strlen(req->path);

    for (uint32_t i = *whole_slot(server, req->path, size); i != 0;) {
        const struct cg__http_route *route = &server->routes[i - 1];

        if (route->whole == size && memcmp(route->pattern, req->path, size) == 0 &&
            method_fits(route, req->parser.code)) {
            bool beneath = req->path[size - 1] == '/' && route->pattern[size] == '\0';

            req->rest = beneath ? req->path + size : NULL;
            return route;
        }
        i = route->next;
    }
    return NULL;
}

static const struct cg__http_route *fitting_route(struct cg_http_request *req, int *status)
{
    const char *params[2 * CG_HTTP_PARAMS_LIMIT], *rest;
    bool found = false;
    unsigned count;

    for (size_t i = 0; i < req->server->nroutes; i++) {
        const struct cg__http_route *route = &req->server->routes[i];

        if (!fits(route->pattern, req->path, params, &count, &rest))
            continue;
        if (method_fits(route, req->parser.code)) {
            size_t beneath = rest ? (size_t)(rest - req->path) : 0;

            *status = 503;
            if (count > 0 && !set_params(req, params, count))
                return NULL;
            req->rest = rest ? req->path + beneath : NULL;
            return route;
        }
        found = found || !is_all(route->pattern);
    }
    *status = no_route(req, found);
    return NULL;
}

const struct cg__http_route *cg__http_route(struct cg_http_request *req, int *status)
{
    const struct cg__http_route *route = whole_route(req);

    return route != NULL ? route : fitting_route(req, status);
}
