/* SPDX-License-Identifier: MIT */
/* Bodies of requests and responses in JSON, by json-c. */
#ifndef COGEN_ADAPTERS_HTTP_JSON_H
#define COGEN_ADAPTERS_HTTP_JSON_H

#include <cogen/http_server.h>
#include <json-c/json.h>

/* The JSON as text, which belongs to it. */
const char *http_json_text(struct json_object *json);

/* Returns the text of a member. NULL: the object has no such member, or it is no object. */
const char *http_json_member(struct json_object *object, const char *name);

/* Sends JSON, whose ownership passes. 0, or a negative code. */
ssize_t http_json_send(struct cg_http_request *req, int status, struct json_object *json);

/* Reads the body, an object, which the caller puts. 0; -EINVAL: it is no object; or an error of
 * cg_http_read_body. After a failure *json is NULL. */
ssize_t http_json_read(struct cg_http_request *req, struct json_object **json);

#endif
