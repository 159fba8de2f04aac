/* SPDX-License-Identifier: MIT */
/* What the handlers have in common: numbers of requests, and responses. */
#ifndef COGEN_ARENA_REPLY_H
#define COGEN_ARENA_REPLY_H

#include <cogen/http_server.h>
#include <jansson.h>

enum {
    NUMBER_LIMIT = 1000 * 1000 * 1000
}; /* the lowest number is its negative */

/* The number in a text or in the query, `otherwise` if there is none. Clears *valid if it
 * is invalid. */
json_int_t number(const char *text, json_int_t otherwise, bool *valid);
json_int_t query_number(struct cg_http_request *req, const char *name,
                        json_int_t otherwise, bool *valid);

json_int_t clamp(json_int_t n, json_int_t low, json_int_t high);

/* Responds with the status for a failure: -EINVAL, -ENOENT, or no database. */
ssize_t refuse(struct cg_http_request *req, ssize_t code);

ssize_t send_number(struct cg_http_request *req, json_int_t n);

/* The ownership of the JSON passes to these; NULL: there was no memory for it. */
ssize_t send_json(struct cg_http_request *req, int status, json_t *json);
ssize_t send_items(struct cg_http_request *req, json_t *items);

#endif
