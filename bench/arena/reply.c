/* SPDX-License-Identifier: MIT */
/* See reply.h. */
#include "reply.h"

#include <errno.h>
#include <stdlib.h>

int64_t number(const char *text, int64_t otherwise, bool *valid)
{
    char *end;
    long long n = text != NULL ? strtoll(text, &end, 10) : otherwise;

    if (text != NULL && (end == text || *end != '\0' || llabs(n) > NUMBER_LIMIT))
        *valid = false;
    return n;
}

int64_t query_number(struct cg_http_request *req, const char *name, int64_t otherwise,
                     bool *valid)
{
    return number(cg_http_request_query(req, name), otherwise, valid);
}

int64_t clamp(int64_t n, int64_t low, int64_t high)
{
    return n < low ? low : n > high ? high : n;
}

ssize_t refuse(struct cg_http_request *req, ssize_t code)
{
    int status = code == -EINVAL ? 400 : code == -ENOENT ? 404 : 503;

    return cg_yield(cg_http_send_text(req, status, cg_http_status_text(status)));
}

ssize_t send_number(struct cg_http_request *req, int64_t n)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)n);
    return cg_yield(cg_http_send_text(req, 200, text));
}

ssize_t send_json(struct cg_http_request *req, int status, struct json_object *json)
{
    size_t len;
    const char *text = json_object_to_json_string_length(json, JSON_PLAIN, &len);
    ssize_t n = -ENOMEM;

    if (json != NULL && text != NULL)
        n = cg_yield(
            cg_http_respond(req, status, text, len, .mime = "application/json"));
    json_object_put(json);
    return n;
}

ssize_t send_items(struct cg_http_request *req, struct json_object *items)
{
    struct json_object *json = json_object_new_object();
    size_t count = json_object_array_length(items);

    json_object_object_add(json, "items", items);
    json_object_object_add(json, "count", json_object_new_uint64(count));
    return send_json(req, 200, json);
}
