/* SPDX-License-Identifier: MIT */
/* See reply.h. */
#include "reply.h"

#include <errno.h>
#include <stdlib.h>

json_int_t number(const char *text, json_int_t otherwise, bool *valid)
{
    char *end;
    long long n = text != NULL ? strtoll(text, &end, 10) : otherwise;

    if (text != NULL && (end == text || *end != '\0' || llabs(n) > NUMBER_LIMIT))
        *valid = false;
    return n;
}

json_int_t query_number(struct cg_http_request *req, const char *name,
                        json_int_t otherwise, bool *valid)
{
    return number(cg_http_request_query(req, name), otherwise, valid);
}

json_int_t clamp(json_int_t n, json_int_t low, json_int_t high)
{
    return n < low ? low : n > high ? high : n;
}

ssize_t refuse(struct cg_http_request *req, ssize_t code)
{
    int status = code == -EINVAL ? 400 : code == -ENOENT ? 404 : 503;

    return cg_yield(cg_http_send_text(req, status, cg_http_status_text(status)));
}

ssize_t send_number(struct cg_http_request *req, json_int_t n)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)n);
    return cg_yield(cg_http_send_text(req, 200, text));
}

ssize_t send_json(struct cg_http_request *req, int status, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    ssize_t n = -ENOMEM;

    if (text != NULL)
        n = cg_yield(cg_http_send_text(req, status, text, .mime = "application/json"));
    free(text);
    json_decref(json);
    return n;
}

ssize_t send_items(struct cg_http_request *req, json_t *items)
{
    return send_json(req, 200,
                     json_pack("{s:o,s:I}", "items", items, "count",
                               (json_int_t)json_array_size(items)));
}
