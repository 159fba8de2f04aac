/* SPDX-License-Identifier: MIT */
/* See http_json.h. */
#include "http_json.h"

#include <errno.h>

enum {
    STYLE = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE
};

const char *http_json_text(struct json_object *json)
{
    return json_object_to_json_string_ext(json, STYLE);
}

const char *http_json_member(struct json_object *object, const char *name)
{
    return json_object_get_string(json_object_object_get(object, name));
}

ssize_t http_json_send(struct cg_http_request *req, int status, struct json_object *json)
{
    size_t len;
    const char *text = json_object_to_json_string_length(json, STYLE, &len);
    ssize_t rc = -ENOMEM;

    if (text)
        rc = cg_yield(cg_http_respond(req, status, text, len, .mime = "application/json"));
    json_object_put(json);
    return rc;
}

ssize_t http_json_read(struct cg_http_request *req, struct json_object **json)
{
    char *body;
    ssize_t rc = cg_yield(cg_http_read_body(req, &body));

    *json = NULL;
    if (rc < 0)
        return rc;
    *json = json_tokener_parse(body);
    if (json_object_is_type(*json, json_type_object))
        return 0;
    json_object_put(*json);
    *json = NULL;
    return -EINVAL;
}
