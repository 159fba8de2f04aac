/* SPDX-License-Identifier: MIT */
/* The handlers of the database: /async-db and /crud. */
#include "items.h"

#include <errno.h>
#include <stdlib.h>

#include "cache.h"
#include "reply.h"

enum {
    LIST_LIMIT = 50
};

static json_t *item_of(const PGresult *rows, int row)
{
    const char *value[9];

    for (int i = 0; i < 9; i++)
        value[i] = PQgetvalue(rows, row, i);
    return json_pack("{s:i,s:s,s:s,s:i,s:i,s:b,s:o?,s:{s:i,s:i}}", "id", atoi(value[0]),
                     "name", value[1], "category", value[2], "price", atoi(value[3]),
                     "quantity", atoi(value[4]), "active", *value[5] == 't', "tags",
                     json_loads(value[6], 0, NULL), "rating", "score", atoi(value[7]),
                     "count", atoi(value[8]));
}

static ssize_t query_all(struct pool *pool, enum pool_statement what,
                         const struct pool_values *values, json_t **found)
{
    PGresult *rows;
    ssize_t n = pool_query(pool, what, values, &rows);

    if (n < 0)
        return n;
    *found = json_array();
    for (int i = 0; i < PQntuples(rows); i++)
        json_array_append_new(*found, item_of(rows, i));
    PQclear(rows);
    return 0;
}

/* -ENOENT: there is no such item. */
static ssize_t query_one(struct pool *pool, enum pool_statement what,
                         const struct pool_values *values, json_t **item)
{
    PGresult *rows;
    ssize_t n = pool_query(pool, what, values, &rows);

    if (n < 0)
        return n;
    *item = PQntuples(rows) > 0 ? item_of(rows, 0) : NULL;
    n = PQntuples(rows) == 0 ? -ENOENT : *item == NULL ? -ENOMEM : 0;
    PQclear(rows);
    return n;
}

/* The items of a range of prices. Without a database there are none. */
static ssize_t list_range(struct cg_http_request *req, void *pool)
{
    struct pool_values values = {.count = 0};
    bool valid = true;
    json_t *found;

    pool_add_number(&values, query_number(req, "min", 10, &valid));
    pool_add_number(&values, query_number(req, "max", 50, &valid));
    pool_add_number(
        &values, clamp(query_number(req, "limit", LIST_LIMIT, &valid), 1, LIST_LIMIT));
    if (!valid)
        return refuse(req, -EINVAL);
    if (query_all(pool, POOL_RANGE, &values, &found) < 0)
        found = json_array();
    return send_items(req, found);
}

static ssize_t list_category(struct cg_http_request *req, void *pool)
{
    struct pool_values values = {.count = 0};
    const char *category = cg_http_request_query(req, "category");
    bool valid = true;
    json_int_t page = clamp(query_number(req, "page", 1, &valid), 1, NUMBER_LIMIT);
    json_int_t limit = clamp(query_number(req, "limit", 10, &valid), 1, LIST_LIMIT);
    json_t *found;
    ssize_t n;

    pool_add_text(&values, category != NULL ? category : "electronics");
    pool_add_number(&values, limit);
    pool_add_number(&values, (page - 1) * limit);
    n = valid ? query_all(pool, POOL_LIST, &values, &found) : -EINVAL;
    if (n < 0)
        return refuse(req, n);
    return send_json(req, 200,
                     json_pack("{s:o,s:I,s:I,s:I}", "items", found, "total",
                               (json_int_t)json_array_size(found), "page", page,
                               "limit", limit));
}

/* Reads an item, and caches it unless it was written since cache_get. */
static ssize_t read_row(struct pool *pool, json_int_t id, unsigned writes, char **text)
{
    struct pool_values values = {.count = 0};
    json_t *item;
    ssize_t n;

    pool_add_number(&values, id);
    n = query_one(pool, POOL_READ, &values, &item);
    if (n < 0)
        return n;
    *text = json_dumps(item, JSON_COMPACT);
    json_decref(item);
    if (*text == NULL)
        return -ENOMEM;
    cache_put(id, *text, writes);
    return 0;
}

static ssize_t read_item(struct cg_http_request *req, void *pool)
{
    bool valid = true;
    json_int_t id = number(cg_http_request_param(req, "id"), 0, &valid);
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

/* Updates the item with this id or, if path_id is NULL, creates or replaces the one that
 * the body names. */
static ssize_t write_row(struct pool *pool, const char *path_id, json_t *body,
                         json_t **item)
{
    struct pool_values values = {.count = 0};
    const char *name, *category = NULL;
    json_int_t id = 0, price, quantity;
    bool valid =
        json_unpack(body, "{s?I,s:s,s?s,s:I,s:I}", "id", &id, "name", &name, "category",
                    &category, "price", &price, "quantity", &quantity) == 0;
    ssize_t n;

    if (!valid || llabs(price) > NUMBER_LIMIT || llabs(quantity) > NUMBER_LIMIT)
        return -EINVAL;
    if (path_id == NULL && (category == NULL || json_object_get(body, "id") == NULL))
        return -EINVAL;
    id = number(path_id, id, &valid);
    if (!valid || llabs(id) > NUMBER_LIMIT)
        return -EINVAL;
    pool_add_number(&values, id);
    pool_add_text(&values, name);
    pool_add_text(&values, category);
    pool_add_number(&values, price);
    pool_add_number(&values, quantity);
    n = query_one(pool, path_id != NULL ? POOL_UPDATE : POOL_CREATE, &values, item);
    cache_drop(id);
    return n;
}

static ssize_t write_item(struct cg_http_request *req, void *pool)
{
    const char *path_id = cg_http_request_param(req, "id");
    json_t *json, *item;
    char *body;
    ssize_t n = cg_yield(cg_http_read_body(req, &body));

    if (n < 0)
        return n;
    json = json_loadb(body, (size_t)n, 0, NULL);
    n = write_row(pool, path_id, json, &item);
    json_decref(json);
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
