/* SPDX-License-Identifier: MIT */
/* Rows of PostgreSQL as JSON, by json-c. */
#ifndef COGEN_ADAPTERS_PQ_JSON_H
#define COGEN_ADAPTERS_PQ_JSON_H

#include <json-c/json.h>

#include "pq.h"

/* A row as an object whose members are the columns. A column "rating.score" (AS "rating.score")
 * becomes the member `score` of an object `rating`. Integers, floating-point numbers, booleans,
 * JSON and NULL keep their types; all else is text. */
struct json_object *pq_json_row(const PGresult *rows, int row);

/* All rows as an array, an empty one for NULL. */
struct json_object *pq_json_rows(const PGresult *rows);

/* pq_pool_ask, with the rows as an array; with the first row, or -ENOENT. The caller puts the
 * JSON. */
ssize_t pq_json_ask(struct pq_pool *pool, const char *statement, const char *const *values,
                    int count, struct json_object **array);
ssize_t pq_json_ask_one(struct pq_pool *pool, const char *statement,
                        const char *const *values, int count, struct json_object **object);

#endif
