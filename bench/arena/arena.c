/* SPDX-License-Identifier: MIT */
/* The entry for HttpArena, a benchmark of web frameworks: one server for all of its tests
 * that libcogen can serve. README.md beside it says how to run it. */
#include <cogen/tls.h>
#include <cogen/websocket.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "items.h"
#include "reply.h"

enum {
    PORTS = 4,
    BODY_LIMIT = 32 << 20,
    WORKERS_LIMIT = 1000
};

static struct port {
    const char *name, *addr, *alpn; /* alpn NULL: without TLS */
    uint8_t protocols;
    struct cg_ports *ports;
    struct cg_tls *tls;
} ports[PORTS] = {
    {"h1", ":8080", NULL, CG_HTTP_H1, NULL, NULL},
    {"h1-tls", ":8081", "http/1.1", CG_HTTP_H1, NULL, NULL},
    {"h2c", ":8082", NULL, CG_HTTP_H2C, NULL, NULL},
    {"h2", ":8443", "h2,http/1.1", CG_HTTP_H1 | CG_HTTP_H2, NULL, NULL},
};

/* What each worker has. */
struct worker {
    struct cg_http_server *servers[PORTS];
    struct cg_sock *listeners[PORTS];
    struct cg_http_files *files;
    struct pool *pool;
    struct json_object *dataset; /* which the handlers change */
};

static unsigned links = 1; /* connections of each worker to the database */

static int fail(const char *what, ssize_t code, const char *why)
{
    fprintf(stderr, "arena: %s: %s\n", what, *why != '\0' ? why : cg_strerror(code));
    return 1;
}

/* The sum of a, b and, with POST, the body. */
static ssize_t baseline(struct cg_http_request *req, void *arg)
{
    bool valid = true;
    int64_t sum = query_number(req, "a", 0, &valid) + query_number(req, "b", 0, &valid);
    char *body;
    ssize_t n = cg_yield(cg_http_read_body(req, &body));

    (void)arg;
    if (n > 0)
        sum += number(body, 0, &valid);
    return n < 0 ? n : valid ? send_number(req, sum) : refuse(req, -EINVAL);
}

static ssize_t pipeline(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, "ok"));
}

/* The first items of the dataset, each with a total. */
static ssize_t totals(struct cg_http_request *req, void *arg)
{
    struct worker *worker = arg;
    bool valid = true;
    int64_t count = number(cg_http_request_param(req, "count"), 0, &valid);
    int64_t times = query_number(req, "m", 1, &valid);
    struct json_object *items;

    if (!valid || count < 0)
        return refuse(req, -EINVAL);
    count = clamp(count, 0, (int64_t)json_object_array_length(worker->dataset));
    items = json_object_new_array();
    for (size_t i = 0; i < (size_t)count; i++) {
        struct json_object *item = json_object_array_get_idx(worker->dataset, i);
        int64_t price = json_object_get_int64(json_object_object_get(item, "price"));
        int64_t quantity =
            json_object_get_int64(json_object_object_get(item, "quantity"));

        json_object_object_add(item, "total",
                               json_object_new_int64(price * quantity * times));
        json_object_array_add(items, json_object_get(item));
    }
    return send_items(req, items);
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

static ssize_t echo(struct cg_ws *ws, ssize_t kind, const struct cg_ws_message *message,
                    void *arg)
{
    (void)arg;
    return message == NULL ? 0
                           : cg_yield(cg_ws_write(ws, kind, message->data, message->len,
                                                  .more = cg_ws_has_input(ws)));
}

static ssize_t open_echo(struct cg_http_request *req, void *arg)
{
    struct cg_ws *ws;
    ssize_t n = cg_yield(cg_ws_accept(req, &ws));

    return n == 0 ? cg_ws_serve(ws, req, echo, arg) : n;
}

static const struct {
    const char *pattern;
    cg_http_handler *handler;
} routes[] = {
    {"GET /baseline11", baseline}, {"POST /baseline11", baseline},
    {"GET /baseline2", baseline},  {"GET /pipeline", pipeline},
    {"GET /json/:count", totals},  {"POST /upload", upload},
    {"GET /ws", open_echo},
};

static ssize_t wrap(struct cg_sock **conn, void *tls)
{
    return cg_yield(cg_tls_accept(*conn, tls, conn));
}

static ssize_t open_server(struct worker *worker, int i)
{
    struct cg_http_server *server = worker->servers[i] =
        cg_http_server_new(.body_limit = BODY_LIMIT, .protocols = ports[i].protocols,
                           .wrap = ports[i].tls != NULL ? wrap : NULL,
                           .wrap_arg = ports[i].tls);
    ssize_t n = server != NULL ? 0 : -ENOMEM;

    for (size_t k = 0; k < sizeof routes / sizeof *routes && n == 0; k++)
        n = cg_http_server_mount(server, routes[k].pattern, routes[k].handler, worker);
    if (n == 0)
        n = items_mount(server, worker->pool);
    if (n == 0)
        n = cg_http_server_mount(server, "GET /static/", cg_http_files_handler,
                                 worker->files);
    return n < 0 ? n
                 : cg_ports_listen(ports[i].ports, cg_worker_id(), cg_sched_self(),
                                   &worker->listeners[i]);
}

/* On each worker, until it is stopped. */
static ssize_t serve(void *arg)
{
    struct worker w = {.dataset = json_object_from_file("data/dataset.json")};
    ssize_t n = pool_open(links, &w.pool);

    (void)arg;
    if (!json_object_is_type(w.dataset, json_type_array) &&
        fail("data/dataset.json", 0, "not an array in JSON"))
        n = -EINVAL;
    if (n == 0)
        n = cg_http_files_open("data/static", NULL, &w.files);
    for (int i = 0; i < PORTS && n == 0; i++)
        n = open_server(&w, i);
    if (n == 0)
        n = cg_yield(cg_any((cg_http_serve(w.servers[0], w.listeners[0]),
                             cg_http_serve(w.servers[1], w.listeners[1]),
                             cg_http_serve(w.servers[2], w.listeners[2]),
                             cg_http_serve(w.servers[3], w.listeners[3]))));
    for (int i = 0; i < PORTS; i++) {
        cg_sock_close(w.listeners[i]);
        cg_http_server_free(w.servers[i]);
    }
    cg_http_files_close(w.files);
    pool_close(w.pool);
    json_object_put(w.dataset);
    return n;
}

static void stop(int number)
{
    (void)number;
    cg_crew_stop();
}

/* Binds a port and loads its certificate. */
static ssize_t open_port(struct port *port, const char *addr, unsigned workers,
                         char *why)
{
    char text[CG_ADDR_SIZE];
    int n = cg_ports_open(addr, &port->ports, .name = port->name, .members = workers);

    if (n == 0 && port->alpn != NULL)
        n = cg_tls_new(&port->tls, .cert = "certs/server.crt",
                       .key = "certs/server.key", .alpn = port->alpn, .why = why);
    if (n == 0 && (n = cg_ports_addr(port->ports, text, sizeof text)) == 0)
        printf("%s %s\n", port->name, text);
    return n;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"workers", required_argument, NULL, 'w'},
                                            {"root", required_argument, NULL, 'r'},
                                            {"reactor", required_argument, NULL, 'e'},
                                            {"test", no_argument, NULL, 't'},
                                            {0}};
    const char *root = "/", *reactor = NULL;
    char why[CG_TLS_WHY_SIZE] = "";
    bool valid = true, test = false;
    int64_t workers = 0, all = number(getenv("DATABASE_MAX_CONN"), 256, &valid);
    ssize_t n = 0;

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;
         valid &= c != '?') {
        if (c == 'w')
            workers = number(optarg, 0, &valid);
        root = c == 'r' ? optarg : root;
        reactor = c == 'e' ? optarg : reactor;
        test |= c == 't';
    }
    if (!valid || optind < argc || workers < 0 || workers > WORKERS_LIMIT)
        return fail("usage", 0,
                    "arena [--workers N] [--reactor NAME] [--root DIR] [--test]");
    if (chdir(root) < 0)
        return fail(root, -errno, why);
    workers = workers > 0 ? workers : cg_cpus();
    links = (unsigned)clamp(all / workers, 1, NUMBER_LIMIT);
    for (int i = 0; i < PORTS; i++)
        if ((n = open_port(&ports[i], test ? "127.0.0.1:0" : ports[i].addr,
                           (unsigned)workers, why)) < 0)
            return fail(ports[i].addr, n, why);
    fflush(stdout);
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    n = cg_crew_main(serve, NULL, .workers = (unsigned)workers, .reactor = reactor);
    for (int i = 0; i < PORTS; i++) {
        cg_ports_close(ports[i].ports);
        cg_tls_free(ports[i].tls);
    }
    return n < 0 && n != -ECANCELED ? fail("run", n, why) : 0;
}
