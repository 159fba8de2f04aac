/* SPDX-License-Identifier: MIT */
/* The entry for HttpArena, a benchmark of web frameworks. README.md says how to run it. */
#include <cogen/https.h>
#include <cogen/websocket.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "examples/adapters/cache.h"
#include "examples/adapters/http_json.h"
#include "examples/adapters/pq_json.h"

static struct port {
    const char *name, *addr, *alpn; /* alpn NULL: without TLS */
    struct cg_ports *ports;
    struct cg_tls *tls;
} all[4] = {{"h1", ":8080", NULL, NULL, NULL}, {"h1-tls", ":8081", "http/1.1", NULL, NULL},
            {"h2c", ":8082", NULL, NULL, NULL}, {"h2", ":8443", "h2,http/1.1", NULL, NULL}};
static struct cache *cache; /* of single items */

/* The number in a text, `otherwise` without a text. Clears *valid if it is no such number. */
static int64_t number(const char *text, int64_t otherwise, bool *valid)
{
    char *end;
    long long n = text != NULL ? strtoll(text, &end, 10) : otherwise;

    *valid &= text == NULL || (end > text && *end == '\0' && llabs(n) <= 1000000000);
    return n;
}

/* A layer around all handlers: the responses to what they refuse. */
static ssize_t refuse(struct cg_http_request *req, const struct cg_http_layer *next, void *arg)
{
    ssize_t n = cg_http_layer_run(next, req);
    int status = n == -EINVAL ? 400 : n == -ENOENT ? 404 : n == -EIO ? 503 : 0;

    (void)arg;
    return status == 0 ? n : cg_yield(cg_http_respond(req, status, NULL, 0));
}

static ssize_t send_number(struct cg_http_request *req, int64_t n)
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)n);
    return cg_yield(cg_http_send_text(req, 200, text));
}

/* An object with the items and, under this name, their number. */
static struct json_object *count_items(struct json_object *items, const char *name)
{
    struct json_object *json = json_object_new_object();

    json_object_object_add(json, "items", items);
    json_object_object_add(json, name, json_object_new_uint64(json_object_array_length(items)));
    return json;
}

/* The sum of a, b and, with POST, the body. */
static ssize_t baseline(struct cg_http_request *req, void *arg)
{
    bool valid = true;
    char *body;
    ssize_t n = cg_yield(cg_http_read_body(req, &body));
    int64_t sum = number(cg_http_request_query(req, "a"), 0, &valid) +
                  number(cg_http_request_query(req, "b"), 0, &valid) +
                  number(n > 0 ? body : NULL, 0, &valid);

    (void)arg;
    return n < 0 ? n : valid ? send_number(req, sum) : -EINVAL;
}

static ssize_t pipeline(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, "ok"));
}

/* The first items of the dataset, each with a total. */
static ssize_t totals(struct cg_http_request *req, void *dataset)
{
    bool valid = true;
    int64_t count = number(cg_http_request_param(req, "count"), 0, &valid), times;
    struct json_object *items;

    if (cg_http_request_query_number(req, "m", -1000000000, 1000000000, 1, &times) < 0 || !valid ||
        count < 0)
        return -EINVAL;
    items = json_object_new_array();
    for (int64_t i = 0; i < count && i < (int64_t)json_object_array_length(dataset); i++) {
        struct json_object *item = json_object_get(json_object_array_get_idx(dataset, i));
        int64_t price = json_object_get_int64(json_object_object_get(item, "price"));
        int64_t quantity = json_object_get_int64(json_object_object_get(item, "quantity"));

        json_object_object_add(item, "total", json_object_new_int64(price * quantity * times));
        json_object_array_add(items, item);
    }
    return http_json_send(req, 200, count_items(items, "count"));
}

/* Counts the bytes of the body. */
static ssize_t upload(struct cg_http_request *req, void *arg)
{
    char buf[16 * 1024];
    int64_t sum = 0;
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_http_read(req, buf, sizeof buf))) > 0)
        sum += n;
    return n < 0 ? n : send_number(req, sum);
}

static ssize_t echo(struct cg_ws *ws, ssize_t kind, const struct cg_ws_message *got, void *arg)
{
    (void)arg;
    if (got == NULL)
        return 0;
    return cg_yield(cg_ws_write(ws, kind, got->data, got->len, .more = cg_ws_has_input(ws)));
}

static ssize_t open_echo(struct cg_http_request *req, void *arg)
{
    struct cg_ws *ws;
    ssize_t n = cg_yield(cg_ws_accept(req, &ws));

    if (n == 0 && (n = cg_ws_serve(ws, req, echo, arg)) < 0)
        cg_ws_free(ws);
    return n;
}

#define ITEM "id, name, category, price, quantity, active, tags, "                                 \
             "rating_score AS \"rating.score\", rating_count AS \"rating.count\""
#define LIMIT(values) "greatest(1, least(50, coalesce(" values ")))"

/* What each connection to the database prepares. It refuses values of a wrong type. */
static const char statements[] =
    "PREPARE range (int, int, int) AS SELECT " ITEM " FROM items "
    "WHERE price BETWEEN coalesce($1, 10) AND coalesce($2, 50) LIMIT " LIMIT("$3, 50") ";"
    "PREPARE list (text, int, int) AS SELECT " ITEM " FROM items "
    "WHERE category = coalesce($1, 'electronics') ORDER BY id LIMIT " LIMIT("$3, 10")
    " OFFSET (greatest(1, $2) - 1)::bigint * " LIMIT("$3, 10") ";"
    "PREPARE read (int) AS SELECT " ITEM " FROM items WHERE id = $1;"
    "PREPARE store (int, text, text, int, int) AS INSERT INTO items "
    "VALUES ($1, $2, $3, $4, $5, true, '[]', 0, 0) ON CONFLICT (id) DO UPDATE "
    "SET name = $2, category = $3, price = $4, quantity = $5 RETURNING " ITEM ";"
    "PREPARE update (int, text, text, int, int) AS UPDATE items SET name = $2, category = "
    "coalesce($3, category), price = $4, quantity = $5 WHERE id = $1 RETURNING " ITEM;

/* The items of a range of prices. Without a database there are none. */
static ssize_t list_range(struct cg_http_request *req, void *pool)
{
    const char *values[] = {cg_http_request_query(req, "min"), cg_http_request_query(req, "max"),
                            cg_http_request_query(req, "limit")};
    struct json_object *items;
    ssize_t n = pq_json_ask(pool, "range", values, 3, &items);

    if (n == -EIO)
        items = json_object_new_array();
    return n == 0 || n == -EIO ? http_json_send(req, 200, count_items(items, "count")) : n;
}

static ssize_t list_category(struct cg_http_request *req, void *pool)
{
    const char *values[] = {cg_http_request_query(req, "category"),
                            cg_http_request_query(req, "page"),
                            cg_http_request_query(req, "limit")};
    int64_t page, limit;
    struct json_object *json;
    ssize_t n = pq_json_ask(pool, "list", values, 3, &json);

    if (n < 0)
        return n;
    cg_http_request_query_number(req, "page", INT32_MIN, INT32_MAX, 1, &page);
    cg_http_request_query_number(req, "limit", INT32_MIN, INT32_MAX, 10, &limit);
    json = count_items(json, "total");
    json_object_object_add(json, "page", json_object_new_int(page < 1 ? 1 : page));
    limit = limit > 50 ? 50 : limit;
    json_object_object_add(json, "limit", json_object_new_int(limit < 1 ? 1 : limit));
    return http_json_send(req, 200, json);
}

static ssize_t read_item(struct cg_http_request *req, void *pool)
{
    const char *param = cg_http_request_param(req, "id");
    bool valid = true;
    int64_t id = number(param, 0, &valid);
    unsigned drops;
    char *text = cache_get(cache, id, &drops);
    struct json_object *item;
    ssize_t n;

    cg_http_response_set_header(req, "X-Cache", text != NULL ? "HIT" : "MISS");
    if (text == NULL) {
        n = valid ? pq_json_ask_one(pool, "read", &param, 1, &item) : -ENOENT;
        if (n == 0)
            cache_put(cache, id, http_json_text(item), drops);
        return n < 0 ? n : http_json_send(req, 200, item);
    }
    n = cg_yield(cg_http_send_text(req, 200, text, .mime = "application/json"));
    free(text);
    return n;
}

/* Updates the item that the path names, or else creates or replaces that of the body. */
static ssize_t write_item(struct cg_http_request *req, void *pool)
{
    const char *param = cg_http_request_param(req, "id");
    struct json_object *json = NULL, *item;
    ssize_t n = http_json_read(req, &json);
    const char *values[] = {param != NULL ? param : http_json_member(json, "id"),
                            http_json_member(json, "name"), http_json_member(json, "category"),
                            http_json_member(json, "price"), http_json_member(json, "quantity")};

    if (n < 0)
        return n;
    n = pq_json_ask_one(pool, param != NULL ? "update" : "store", values, 5, &item);
    if (values[0] != NULL)
        cache_drop(cache, atoll(values[0]));
    json_object_put(json);
    return n < 0 ? n : http_json_send(req, param != NULL ? 200 : 201, item);
}

/* On each worker, until a signal ends it. */
static ssize_t serve(void *url)
{
    bool valid = true;
    int64_t links = number(getenv("DATABASE_MAX_CONN"), 256, &valid) / cg_crew_size();
    struct pq_pool *pool = pq_pool_new(url, statements, links < 1 ? 1 : links > 999 ? 999 : links);
    struct json_object *dataset = json_object_from_file("data/dataset.json");
    struct cg_http_server *server = cg_http_server_new(.body_limit = 32 << 20);
    struct cg_http_files *files = NULL;
    struct cg_sock *on[4] = {NULL};
    bool made = pool != NULL && server != NULL && json_object_is_type(dataset, json_type_array) &&
                valid && cg_http_files_open("data/static", NULL, &files) == 0;
    ssize_t n = made ? cg_http_server_add_layer(server, refuse, NULL) : -EINVAL;
    const struct {
        const char *pattern;
        cg_http_handler *handler;
        void *arg;
    } routes[] = {
        {"GET /baseline11", baseline, NULL},      {"POST /baseline11", baseline, NULL},
        {"GET /baseline2", baseline, NULL},       {"GET /pipeline", pipeline, NULL},
        {"GET /json/:count", totals, dataset},    {"POST /upload", upload, NULL},
        {"GET /ws", open_echo, NULL},             {"GET /static/", cg_http_files_handler, files},
        {"GET /async-db", list_range, pool},      {"GET /crud/items", list_category, pool},
        {"GET /crud/items/:id", read_item, pool}, {"PUT /crud/items/:id", write_item, pool},
        {"POST /crud/items", write_item, pool},
    };

    if (!made)
        fprintf(stderr, "arena: DATABASE_MAX_CONN, data/dataset.json or data/static is invalid\n");
    for (size_t i = 0; i < sizeof routes / sizeof *routes && n == 0; i++)
        n = cg_http_server_mount(server, routes[i].pattern, routes[i].handler, routes[i].arg);
    for (int i = 0; i < 4 && n == 0; i++)
        n = cg_ports_listen(all[i].ports, cg_worker_id(), cg_sched_self(), &on[i]);
    if (n == 0)
        n = cg_yield(
            cg_any((cg_http_serve(server, on[0], .protocols = CG_HTTP_H1),
                    cg_http_serve(server, on[1], .protocols = CG_HTTP_H1, .wrap = cg_https_wrap,
                                  .wrap_arg = all[1].tls),
                    cg_http_serve(server, on[2], .protocols = CG_HTTP_H2C),
                    cg_http_serve(server, on[3], .wrap = cg_https_wrap, .wrap_arg = all[3].tls),
                    cg_wait_os_signal(SIGTERM), cg_wait_os_signal(SIGINT))));
    for (int i = 0; i < 4; i++)
        cg_sock_close(on[i]);
    cg_http_server_free(server);
    cg_http_files_close(files);
    pq_pool_free(pool);
    json_object_put(dataset);
    return n;
}

int main(int argc, char **argv)
{
    char why[CG_TLS_WHY_SIZE] = "", addr[CG_ADDR_SIZE];
    ssize_t n = chdir(argc > 1 ? argv[1] : "/") == 0 ? 0 : -errno;

    for (struct port *port = all; port < all + 4 && n == 0; port++) {
        n = cg_ports_open(argc > 2 ? argv[2] : port->addr, &port->ports, .name = port->name,
                          .members = cg_cpus());
        if (n == 0 && (n = cg_ports_addr(port->ports, addr, sizeof addr)) == 0)
            dprintf(STDOUT_FILENO, "%s %s\n", port->name, addr);
        if (n == 0 && port->alpn != NULL)
            n = cg_tls_new(&port->tls, .cert = "certs/server.crt", .key = "certs/server.key",
                           .alpn = port->alpn, .why = why);
    }
    cache = cache_new(1 << 16, 200 * CG_MILLISECOND);
    if (n == 0)
        n = cg_crew_main(serve, getenv("DATABASE_URL"));
    if (n < 0)
        fprintf(stderr, "arena: %s\n", *why != '\0' ? why : cg_strerror(n));
    for (int i = 0; i < 4; i++) {
        cg_ports_close(all[i].ports);
        cg_tls_free(all[i].tls);
    }
    cache_free(cache);
    return n < 0;
}
