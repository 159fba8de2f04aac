/* SPDX-License-Identifier: MIT */
/* The handlers of the database: /async-db and /crud. */
#include "items.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "reply.h"

enum {
    LIST_LIMIT = 50
};

static void add_number(struct json_object *json, const char *name, const char *value)
{
    json_object_object_add(json, name, json_object_new_int(atoi(value)));
}

static void add_text(struct json_object *json, const char *name, const char *value)
{
    json_object_object_add(json, name, json_object_new_string(value));
}

static struct json_object *item_of(const PGresult *rows, int row)
{
    struct json_object *item = json_object_new_object();
    struct json_object *rating = json_object_new_object();
    const char *value[9];

    for (int i = 0; i < 9; i++)
        value[i] = PQgetvalue(rows, row, i);
    add_number(item, "id", value[0]);
    add_text(item, "name", value[1]);
    add_text(item, "category", value[2]);
    add_number(item, "price", value[3]);
    add_number(item, "quantity", value[4]);
    json_object_object_add(item, "active", json_object_new_boolean(*value[5] == 't'));
    json_object_object_add(item, "tags", json_tokener_parse(value[6]));
    add_number(rating, "score", value[7]);
    add_number(rating, "count", value[8]);
    json_object_object_add(item, "rating", rating);
    return item;
}

static ssize_t query_all(struct pool *pool, enum pool_statement what,
                         const struct pool_values *values, struct json_object **found)
{
    PGresult *rows;
    ssize_t n = pool_query(pool, what, values, &rows);

    if (n < 0)
        return n;
    *found = json_object_new_array();
    for (int i = 0; i < PQntuples(rows); i++)
        json_object_array_add(*found, item_of(rows, i));
    PQclear(rows);
    return 0;
}

/* -ENOENT: there is no such item. */
static ssize_t query_one(struct pool *pool, enum pool_statement what,
                         const struct pool_values *values, struct json_object **item)
{
    struct json_object *found;
    ssize_t n = query_all(pool, what, values, &found);

    if (n < 0)
        return n;
    *item = json_object_get(json_object_array_get_idx(found, 0));
    n = json_object_array_length(found) == 0 ? -ENOENT : *item == NULL ? -ENOMEM : 0;
    json_object_put(found);
    return n;
}

/* The items of a range of prices. Without a database there are none. */
static ssize_t list_range(struct cg_http_request *req, void *pool)
{
    struct pool_values values = {.count = 0};
    bool valid = true;
    struct json_object *found;

    pool_add_number(&values, query_number(req, "min", 10, &valid));
    pool_add_number(&values, query_number(req, "max", 50, &valid));
    pool_add_number(
        &values, clamp(query_number(req, "limit", LIST_LIMIT, &valid), 1, LIST_LIMIT));
    if (!valid)
        return refuse(req, -EINVAL);
    if (query_all(pool, POOL_RANGE, &values, &found) < 0)
        found = json_object_new_array();
    return send_items(req, found);
}

static ssize_t list_category(struct cg_http_request *req, void *pool)
{
    struct pool_values values = {.count = 0};
    const char *category = cg_http_request_query(req, "category");
    bool valid = true;
    int64_t page = clamp(query_number(req, "page", 1, &valid), 1, NUMBER_LIMIT);
    int64_t limit = clamp(query_number(req, "limit", 10, &valid), 1, LIST_LIMIT);
    struct json_object *found, *json;
    ssize_t n;

    pool_add_text(&values, category != NULL ? category : "electronics");
    pool_add_number(&values, limit);
    pool_add_number(&values, (page - 1) * limit);
    n = valid ? query_all(pool, POOL_LIST, &values, &found) : -EINVAL;
    if (n < 0)
        return refuse(req, n);
    json = json_object_new_object();
    json_object_object_add(json, "items", found);
    json_object_object_add(json, "total",
                           json_object_new_uint64(json_object_array_length(found)));
    json_object_object_add(json, "page", json_object_new_int64(page));
    json_object_object_add(json, "limit", json_object_new_int64(limit));
    return send_json(req, 200, json);
}

/* Reads an item, and caches it unless it was written since cache_get. */
static ssize_t read_row(struct pool *pool, int64_t id, unsigned writes, char **text)
{
    struct pool_values values = {.count = 0};
    struct json_object *item;
    ssize_t n;

    pool_add_number(&values, id);
    n = query_one(pool, POOL_READ, &values, &item);
    if (n < 0)
        return n;
    *text = strdup(json_object_to_json_string_ext(item, JSON_PLAIN));
    json_object_put(item);
    if (*text == NULL)
        return -ENOMEM;
    cache_put(id, *text, writes);
    return 0;
}

static ssize_t read_item(struct cg_http_request *req, void *pool)
{
    bool valid = true;
    int64_t id = number(cg_http_request_param(req, "id"), 0, &valid);
    unsigned writes;
    const char *from = "HIT";
    char *text;
    ssize_t n = 0;

    if (!valid)
        return refuse(req, -ENOENT);
    text = cache_get(id, &writes);
    if (text == NULL) {
        from = "MISS";
        n = read_row(pool, id, writes, &text);
    }
    if (n < 0)
        return refuse(req, n);
    cg_http_response_set_header(req, "X-Cache", from);
    n = cg_yield(cg_http_send_text(req, 200, text, .mime = "application/json"));
    free(text);
    return n;
}

/* The member of an object, if it has this type; else NULL. */
static struct json_object *member(struct json_object *body, const char *name,
                                  enum json_type type)
{
    struct json_object *found = json_object_object_get(body, name);

    return json_object_is_type(found, type) ? found : NULL;
}

static int64_t member_number(struct json_object *body, const char *name, bool *valid)
{
    struct json_object *found = member(body, name, json_type_int);
    int64_t n = json_object_get_int64(found);

    *valid = *valid && found != NULL && n >= -NUMBER_LIMIT && n <= NUMBER_LIMIT;
    return n;
}

/* Updates the item with this id or, if path_id is NULL, creates or replaces the one that
 * the body names. */
static ssize_t write_row(struct pool *pool, const char *path_id,
                         struct json_object *body, struct json_object **item)
{
    const char *name = json_object_get_string(member(body, "name", json_type_string));
    const char *category =
        json_object_get_string(member(body, "category", json_type_string));
    struct pool_values values = {.count = 0};
    bool valid = name != NULL && (path_id != NULL || category != NULL);
    int64_t id = path_id != NULL ? number(path_id, 0, &valid)
                                 : member_number(body, "id", &valid);
    ssize_t n;

    pool_add_number(&values, id);
    pool_add_text(&values, name);
    pool_add_text(&values, category);
    pool_add_number(&values, member_number(body, "price", &valid));
    pool_add_number(&values, member_number(body, "quantity", &valid));
    if (!valid)
        return -EINVAL;
    n = query_one(pool, path_id != NULL ? POOL_UPDATE : POOL_CREATE, &values, item);
    cache_drop(id);
    return n;
}

static ssize_t write_item(struct cg_http_request *req, void *pool)
{
    const char *path_id = cg_http_request_param(req, "id");
    struct json_object *json, *item;
    char *body;
    ssize_t n = cg_yield(cg_http_read_body(req, &body));

    if (n < 0)
        return n;
    json = json_tokener_parse(body);
    n = json_object_is_type(json, json_type_object)
            ? write_row(pool, path_id, json, &item)
            : -EINVAL;
    json_object_put(json);
    return n < 0 ? refuse(req, n) : send_json(req, path_id != NULL ? 200 : 201, item);
}

int items_mount(struct cg_http_server *server, struct pool *pool)
{
    static const struct {
        const char *pattern;
        cg_http_handler *handler;
    } routes[] = {
        {"GET /async-db", list_range},       {"GET /crud/items", list_category},
        {"GET /crud/items/:id", read_item},  {"POST /crud/items", write_item},
        {"PUT /crud/items/:id", write_item},
    };
    int n = 0;

    cache_init();
    for (size_t i = 0; i < sizeof routes / sizeof *routes && n == 0; i++)
        n = cg_http_server_mount(server, routes[i].pattern, routes[i].handler, pool);
    return n;
}
