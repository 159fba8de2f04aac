/* SPDX-License-Identifier: MIT */
/* Finds the handler of a request. The most specific pattern stands first, so that the first
 * match wins. A path that equals a pattern is found in a hash table. */
#include "config.h"

#include "http/message/percent.h"
#include "http/server/request/request_target.h"
#include "http/server/route.h"
#include "http/server/route_host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether a path matches a pattern. `params` gets pairs of pointers: to a name in the
 * pattern and its segment in the path. *rest: the rest of the path after a pattern that
 * ends with a slash, or NULL. */
static bool fits(const char *pattern, const char *path, const char **params, unsigned *count,
                 const char **rest)
{
    const char *start = path;

    *count = 0;
    *rest = NULL;
    if (cg__http_route_is_all(pattern))
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
    entry.value_len = (uint32_t)cg__http_percent_decode(
        cg__http_message_at(list, list->used), raw, size, false, true);
    list->used += entry.value_len + 1;
    list->data[list->used - 1] = '\0';
    return cg__http_message_entry_push(list, entry) == 0;
}

/* Adds the parameters to the list, which may have the decoded path at its start. */
static bool set_params(struct cg_http_request *req, const char **params, unsigned count)
{
    struct cg_http_headers *list = &req->params;
    size_t wanted = req->text_len;
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
static int set_allow(struct cg_http_request *req, const struct cg__http_routes *routes,
                     const char *path)
{
    const char *params[2 * CG_HTTP_PARAMS_LIMIT], *rest;
    char allow[256] = "";
    size_t size = 0;
    unsigned count;

    for (size_t i = 0; i < routes->count; i++) {
        const struct cg__http_route *route = &routes->list[i];

        if (!fits(route->pattern, path, params, &count, &rest) ||
            cg__http_route_is_all(route->pattern) || size > sizeof allow - 64 ||
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
static int no_route(struct cg_http_request *req, const struct cg__http_routes *routes,
                    bool found)
{
    bool options = req->code == HTTP_OPTIONS, all = strcmp(req->path, "*") == 0;

    if (found && (!options || *req->path == '/') && set_allow(req, routes, req->path) < 0)
        return 503;
    if (options && (found || all))
        return 204;
    return found ? 405 : 404;
}

/* The route whose pattern equals the path: no other match is as specific. */
static const struct cg__http_route *whole_route(struct cg_http_request *req,
                                                struct cg__http_routes *routes)
{
    size_t size = req->path_len;

    for (uint32_t i = *cg__http_route_slot(routes, req->path, size); i != 0;) {
        const struct cg__http_route *route = &routes->list[i - 1];

        if (route->whole == size && memcmp(route->pattern, req->path, size) == 0 &&
            method_fits(route, req->code)) {
            bool beneath = req->path[size - 1] == '/' && route->pattern[size] == '\0';

            req->rest = beneath ? req->path + size : NULL;
            return route;
        }
        i = route->next;
    }
    return NULL;
}

static const struct cg__http_route *
fitting_route(struct cg_http_request *req, const struct cg__http_routes *routes, int *status)
{
    const char *params[2 * CG_HTTP_PARAMS_LIMIT], *rest;
    bool found = false;
    unsigned count;

    for (size_t i = 0; i < routes->count; i++) {
        const struct cg__http_route *route = &routes->list[i];

        if (!fits(route->pattern, req->path, params, &count, &rest))
            continue;
        if (method_fits(route, req->code)) {
            size_t beneath = rest ? (size_t)(rest - req->path) : 0;

            *status = 503;
            if (count > 0 && !set_params(req, params, count))
                return NULL;
            req->rest = rest ? req->path + beneath : NULL;
            return route;
        }
        found = found || !cg__http_route_is_all(route->pattern);
    }
    *status = no_route(req, routes, found);
    return NULL;
}

const struct cg__http_route *cg__http_route(struct cg_http_request *req, int *status)
{
    struct cg_http_server *server = req->server;
    struct cg__http_routes *routes =
        server->nhosts == 0 ? &server->routes : cg__http_route_host_of(req);
    const struct cg__http_route *route = whole_route(req, routes);

    return route != NULL ? route : fitting_route(req, routes, status);
}
