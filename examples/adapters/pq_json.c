/* SPDX-License-Identifier: MIT */
/* See pq_json.h. */
#include "pq_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The numbers that PostgreSQL has for its types (pg_type.dat). */
enum {
    BOOL = 16,
    INT8 = 20,
    INT2 = 21,
    INT4 = 23,
    JSON = 114,
    FLOAT4 = 700,
    FLOAT8 = 701,
    JSONB = 3802,
};

static struct json_object *value_of(const PGresult *rows, int row, int column)
{
    const char *text = PQgetvalue(rows, row, column);

    if (PQgetisnull(rows, row, column))
        return NULL;
    switch (PQftype(rows, column)) {
    case BOOL:
        return json_object_new_boolean(*text == 't');
    case INT2:
    case INT4:
    case INT8:
        return json_object_new_int64(atoll(text));
    case FLOAT4:
    case FLOAT8:
        return json_object_new_double_s(atof(text), text);
    case JSON:
    case JSONB:
        return json_tokener_parse(text);
    default:
        return json_object_new_string_len(text, PQgetlength(rows, row, column));
    }
}

/* The member of this name, an object, which is made unless it is there. */
static struct json_object *inner(struct json_object *outer, const char *name, size_t len)
{
    char key[64]; /* PostgreSQL's names are shorter */
    struct json_object *found;

    snprintf(key, sizeof key, "%.*s", (int)len, name);
    if (!json_object_object_get_ex(outer, key, &found))
        json_object_object_add(outer, key, found = json_object_new_object());
    return found;
}

struct json_object *pq_json_row(const PGresult *rows, int row)
{
    struct json_object *object = json_object_new_object();

    for (int i = 0; i < PQnfields(rows); i++) {
        const char *name = PQfname(rows, i), *dot = strchr(name, '.');
        struct json_object *into = dot ? inner(object, name, (size_t)(dot - name)) : object;

        json_object_object_add(into, dot ? dot + 1 : name, value_of(rows, row, i));
    }
    return object;
}

struct json_object *pq_json_rows(const PGresult *rows)
{
    struct json_object *array = json_object_new_array();

    for (int i = 0; i < PQntuples(rows); i++)
        json_object_array_add(array, pq_json_row(rows, i));
    return array;
}

ssize_t pq_json_ask(struct pq_pool *pool, const char *statement, const char *const *values,
                    int count, struct json_object **array)
{
    PGresult *rows;
    ssize_t rc = pq_pool_ask(pool, statement, values, count, &rows);

    if (rc < 0)
        return rc;
    *array = pq_json_rows(rows);
    PQclear(rows);
    return 0;
}

ssize_t pq_json_ask_one(struct pq_pool *pool, const char *statement,
                        const char *const *values, int count, struct json_object **object)
{
    PGresult *rows;
    ssize_t rc = pq_pool_ask(pool, statement, values, count, &rows);

    if (rc < 0)
        return rc;
    rc = PQntuples(rows) > 0 ? 0 : -ENOENT;
    if (rc == 0)
        *object = pq_json_row(rows, 0);
    PQclear(rows);
    return rc;
}
