/* SPDX-License-Identifier: MIT */
/* Counts of the HTTP server, and its access log as JSON. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <cogen/http_metrics.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ssize_t sleeps(struct cg_http_request *req, void *arg)
{
    (void)arg;
    OK(cg_yield(cg_sleep(30 * CG_MILLISECOND)));
    return cg_yield(cg_http_send_text(req, 418, "tea\n"));
}

static ssize_t breaks(struct cg_http_request *req, void *arg)
{
    (void)req;
    (void)arg;
    return -EIO;
}

static bool has(const char *line)
{
    char text[256];

    snprintf(text, sizeof text, "\n%s\n", line);
    return strstr(got, text) != NULL;
}

/* Each response counts once, also those of the server itself; the histogram has the time
 * of handlers. */
static ssize_t counts(void *arg)
{
    struct cg_http_metrics *metrics = cg_http_metrics_new();
    struct cg_sock *sock;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.metrics = metrics});
    OK(cg_http_server_mount(server, "/metrics", cg_http_metrics_handler, metrics));
    OK(cg_http_server_mount(server, "/tea", sleeps, NULL));
    OK(cg_http_server_mount(server, "/broken", breaks, NULL));
    for (int i = 0; i < 3; i++)
        IS(status_of("GET /" V CLOSE "\r\n"), 200);
    IS(status_of("GET /tea" V CLOSE "\r\n"), 418);
    IS(status_of("GET /broken" V CLOSE "\r\n"), 500);
    IS(status_of("GET\r\n\r\n"), 400);
    sock = serve_client();
    send_text(sock, "GET / HTTP/1.1\r\n" H "\r\n");
    receive(sock, "hello\n");
    ask("GET /metrics" V CLOSE "\r\n");
    ck_assert_ptr_nonnull(
        strstr(got, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    ck_assert(has("http_connections 2"));
    ck_assert(has("http_connections_total 8"));
    ck_assert(has("http_requests_in_flight 1"));
    ck_assert(has("http_requests_total{code=\"200\"} 4"));
    ck_assert(has("http_requests_total{code=\"400\"} 1"));
    ck_assert(has("http_requests_total{code=\"418\"} 1"));
    ck_assert(has("http_requests_total{code=\"500\"} 1"));
    ck_assert(has("http_request_duration_seconds_bucket{le=\"+Inf\"} 6"));
    ck_assert(has("http_request_duration_seconds_count 6"));
    if (test_on_sim()) {
        ck_assert(has("http_request_duration_seconds_bucket{le=\"0.001000000\"} 5"));
        ck_assert(has("http_request_duration_seconds_bucket{le=\"0.025000000\"} 5"));
        ck_assert(has("http_request_duration_seconds_bucket{le=\"0.050000000\"} 6"));
    }
    cg_sock_close(sock);
    serve_end();
    cg_http_metrics_free(metrics);
    return 0;
}

/* Sends it, and waits for the server to end the connection. */
static void provoke(const char *text)
{
    struct cg_sock *sock = serve_client();

    send_text(sock, text);
    receive(sock, NULL);
    cg_sock_close(sock);
}

static void is_refused(const char *limit, unsigned times)
{
    char line[100];

    snprintf(line, sizeof line, "http_refusals_total{limit=\"%s\"} %u", limit, times);
    ck_assert_msg(has(line), "not %s in %s", line, got);
}

static ssize_t never_writes(struct cg_http_request *req, void *arg)
{
    static const char junk[64 * 1024];
    ssize_t n = 1;

    (void)arg;
    while (n >= 0)
        n = cg_yield(cg_http_write(req, junk, sizeof junk));
    IS(n, -ETIMEDOUT);
    return n;
}

static ssize_t reads_body(struct cg_http_request *req, void *arg)
{
    char *body;

    (void)arg;
    return cg_yield(cg_http_read_body(req, &body));
}

/* What the handler refuses counts once, however often it tries. */
static ssize_t reads_little(struct cg_http_request *req, void *arg)
{
    char *body;

    (void)arg;
    IS(cg_yield(cg_http_read_body(req, &body, .len = 3)), -EMSGSIZE);
    return cg_yield(cg_http_read_body(req, &body, .len = 3));
}

/* Each limit has its own count. */
static ssize_t counts_refusals(void *arg)
{
    static char target[300];
    struct cg_http_metrics *metrics = cg_http_metrics_new();
    struct cg_sock *idle[3];

    (void)arg;
    serve_begin(&(struct cg_http_server_options){
        .metrics = metrics, .target_limit = 200, .headers_limit = 400, .body_limit = 10,
        .header_timeout = CG_SECOND, .body_timeout = 2 * CG_SECOND, .write_timeout = CG_SECOND,
        .address_connections = 2});
    OK(cg_http_server_mount(server, "/metrics", cg_http_metrics_handler, metrics));
    OK(cg_http_server_mount(server, "/endless", never_writes, NULL));
    OK(cg_http_server_mount(server, "POST /body", reads_body, NULL));
    OK(cg_http_server_mount(server, "POST /little", reads_little, NULL));
    memset(target, 'a', sizeof target - 1);
    snprintf(got, sizeof got, "GET /%s" V "\r\n", target);
    provoke(strdupa(got));
    snprintf(got, sizeof got, "GET /" V "A: %s%s\r\n\r\n", target, target);
    provoke(strdupa(got));
    for (int i = 0; i < 2; i++)
        provoke("POST /body" V "Content-Length: 11\r\n\r\n");
    provoke("POST /little" V "Content-Length: 5\r\n\r\n");
    for (int i = 0; i < 3; i++)
        provoke("GET / HT");
    provoke("POST /body" V "Content-Length: 5\r\n\r\nhell");
    idle[0] = serve_client();
    send_text(idle[0], "GET /endless" V "\r\n");
    OK(cg_yield(cg_sleep(5 * CG_SECOND)));
    cg_sock_close(idle[0]);
    for (int i = 0; i < 3; i++)
        idle[i] = serve_client();
    receive(idle[0], NULL);
    cg_sock_close(idle[1]);
    ask("GET /metrics" V CLOSE "\r\n");
    is_refused("target_limit", 1);
    is_refused("headers_limit", 1);
    is_refused("body_limit", 3);
    is_refused("header_timeout", 3);
    is_refused("body_timeout", 1);
    is_refused("write_timeout", 1);
    is_refused("address_connections", 1);
    is_refused("connections", 0);
    is_refused("h2_rate", 0);
    cg_sock_close(idle[0]);
    cg_sock_close(idle[2]);
    serve_end();
    cg_http_metrics_free(metrics);
    return 0;
}

/* Behind them come the metrics of the schedulers that count. */
static ssize_t adds_schedulers(void *arg)
{
    struct cg_http_metrics *metrics = cg_http_metrics_new();
    struct cg_reactor *reactor;
    struct cg_sched *sched;

    (void)arg;
    IS(cg_reactor_open("poll", &reactor), 0);
    sched = cg_sched_new(reactor, .metrics = true);
    serve_begin(&(struct cg_http_server_options){.metrics = metrics});
    OK(cg_http_server_mount(server, "/metrics", cg_http_metrics_handler, metrics));
    ask("GET /metrics" V CLOSE "\r\n");
    ck_assert(has("http_requests_in_flight 1"));
    ck_assert(has("# TYPE cogen_ready_delay_seconds histogram"));
    ck_assert(strstr(got, "\ncogen_turns_total{sched=\"") != NULL);
    serve_end();
    cg_http_metrics_free(metrics);
    cg_sched_free(sched);
    cg_reactor_close(reactor);
    return 0;
}

/* A line for each request, whatever bytes the client has sent. */
static ssize_t json(void *arg)
{
    static const char *const want[] = {
        "\"status\":200,\"bytes\":6,\"seconds\":0.",
        (",\"method\":\"GET\",\"target\":\"/?a=\\\"\\\\\",\"protocol\":\"HTTP/1.1\","
         "\"host\":\"x\",\"referer\":\"\xc3\xa4\\ufffd\",\"user_agent\":\"me\"}\n"),
        "\"status\":400,\"bytes\":16,\"seconds\":0.000000}\n",
        "\"client\":\"",
    };
    char *log = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&log, &size);

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.access_log = file,
                                                 .access_format = CG_HTTP_LOG_JSON});
    IS(status_of("GET /?a=\"\\ HTTP/1.1\r\n" H CLOSE
                 "Referer: \xc3\xa4\xff\r\nUser-Agent: me\r\n\r\n"), 200);
    IS(status_of("GET\r\n\r\n"), 400);
    serve_end();
    fclose(file);
    for (size_t i = 0; i < COUNT(want); i++)
        ck_assert_msg(strstr(log, want[i]) != NULL, "%s in %s", want[i], log);
    ck_assert_int_eq(strncmp(log, "{\"time\":\"20", 11), 0);
    free(log);
    return 0;
}

static const struct test_case cases[] = {
    CORO(counts),
    CORO(counts_refusals, .where = ON_SIM),
    CORO(adds_schedulers),
    CORO(json, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("http metrics", cases, COUNT(cases));
}
