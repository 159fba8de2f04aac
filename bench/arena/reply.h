/* SPDX-License-Identifier: MIT */
/* What the handlers have in common: numbers of requests, and responses. */
#ifndef COGEN_ARENA_REPLY_H
#define COGEN_ARENA_REPLY_H

#include <cogen/http_server.h>
#include <json-c/json.h>

enum {
    NUMBER_LIMIT = 1000 * 1000 * 1000
}; /* the lowest number is its negative */

enum { JSON_PLAIN = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE };

/* The number in a text or in the query, `otherwise` if there is none. Clears *valid if it
 * is invalid. */
int64_t number(const char *text, int64_t otherwise, bool *valid);
int64_t query_number(struct cg_http_request *req, const char *name,
                        int64_t otherwise, bool *valid);

int64_t clamp(int64_t n, int64_t low, int64_t high);

/* Responds with the status for a failure: -EINVAL, -ENOENT, or no database. */
ssize_t refuse(struct cg_http_request *req, ssize_t code);

ssize_t send_number(struct cg_http_request *req, int64_t n);

/* The ownership of the JSON passes to these; NULL: there was no memory for it. */
ssize_t send_json(struct cg_http_request *req, int status, struct json_object *json);
ssize_t send_items(struct cg_http_request *req, struct json_object *items);

#endif
