/* SPDX-License-Identifier: MIT */
/* The gateway between all pairs of carriers: clients and upstreams that speak HTTP/1.1 or
 * HTTP/2. The cases run over both downstream, and each with both upstream. */
#include "config.h"

#include "tests/http/gateway/gateway_on.h"

#include <cogen/websocket.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY = 40000 };

static struct cg_http_server *behind;
static struct cg_sock *door;
static struct cg_coro *open_door;
static unsigned reached, deserted;

static ssize_t serve_behind(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_serve(behind, door));
}

static ssize_t say(struct cg_http_request *req, void *arg)
{
    OK(cg_http_response_set_header(req, "X-Carrier", cg_http_request_protocol(req)));
    return cg_yield(cg_http_send_text(req, 200, arg));
}

/* Sends the body back in pieces, and the trailer t. */
static ssize_t echo(struct cg_http_request *req, void *arg)
{
    const char *trailer;
    char *data;
    ssize_t n = cg_yield(cg_http_read_body(req, &data)), at = 0;

    (void)arg;
    while (n > at) {
        size_t len = n - at < 3000 ? (size_t)(n - at) : 3000;

        OK(cg_yield(cg_http_write(req, data + at, len)));
        at += (ssize_t)len;
    }
    trailer = cg_http_headers_get(cg_http_request_trailers(req), "t");
    if (trailer != NULL)
        OK(cg_http_response_add_trailer(req, "t", trailer));
    return n < 0 ? n : 0;
}

/* Dies within its response. */
static ssize_t die(struct cg_http_request *req, void *arg)
{
    (void)arg;
    OK(cg_yield(cg_http_write(req, "begun", 5)));
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    return -EIO;
}

/* Waits until its client, the gateway, has left. */
static ssize_t hold(struct cg_http_request *req, void *arg)
{
    (void)arg;
    reached++;
    OK(cg_yield(cg_http_wait_left(req, .timeout = CG_MINUTE)));
    deserted++;
    return 0;
}

/* A WebSocket that sends back what it gets, until the client ends it; "close" ends it here. */
static ssize_t talk(struct cg_http_request *req, void *arg)
{
    struct cg_ws_message message;
    struct cg_ws *ws;
    ssize_t n = cg_yield(cg_ws_accept(req, &ws, .deflate = true, .protocol = "b, a"));

    (void)arg;
    if (n != 0)
        return n;
    while ((n = cg_yield(cg_ws_read(ws, &message))) > 0) {
        if (message.len == 5 && memcmp(message.data, "close", 5) == 0) {
            OK(cg_yield(cg_ws_end(ws, CG_WS_GOING_AWAY)));
            break;
        }
        IS(cg_yield(cg_ws_write(ws, n, message.data, message.len)), (ssize_t)message.len);
    }
    cg_ws_free(ws);
    return 0;
}

/* Switches protocols without having understood that WebSocket is asked for. */
static ssize_t misunderstand(struct cg_http_request *req, void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    OK(cg_http_response_set_header(req, "Upgrade", "websocket"));
    OK(cg_http_response_set_header(req, "Sec-WebSocket-Accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    if (cg_yield(cg_http_upgrade(req, 101, &sock)) == 0)
        cg_sock_close(sock);
    return 0;
}

static ssize_t count(struct cg_http_request *req, void *arg)
{
    (void)arg;
    reached++;
    return cg_yield(cg_http_send_text(req, 200, "counted\n"));
}

static void open_all(unsigned protocols)
{
    char url[2 * CG_ADDR_SIZE], at[CG_ADDR_SIZE];

    reached = deserted = 0;
    behind = cg_http_server_new(.log = log_line,
                                .protocols = h2_text_can() ? CG_HTTP_H1 | CG_HTTP_H2C : 0,
                                .compress_above = CG_HTTP_UNLIMITED);
    OK(cg_http_server_mount(behind, "/up/say", say, "said\n"));
    OK(cg_http_server_mount(behind, "/up/echo", echo, NULL));
    OK(cg_http_server_mount(behind, "/up/die", die, NULL));
    OK(cg_http_server_mount(behind, "/up/hold", hold, NULL));
    OK(cg_http_server_mount(behind, "/up/talk", talk, NULL));
    OK(cg_http_server_mount(behind, "/up/misunderstand", misunderstand, NULL));
    OK(cg_http_server_mount(behind, "/up/count", count, NULL));
    OK(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &door));
    OK(cg_sock_local_addr(door, at, sizeof at));
    snprintf(url, sizeof url, "http://%s", at);
    open_door = test_start(serve_behind, NULL);
    client = CLIENT(.protocols = protocols);
    upstreams = cg_http_upstreams_new(client, .hop.name = "here");
    OK(cg_http_upstreams_add(upstreams, url));
    serve_begin(&(struct cg_http_server_options){.compress_above = CG_HTTP_UNLIMITED});
    OK(cg_http_server_mount(server, "/up/", cg_http_forward_handler, upstreams));
}

static void close_all(void)
{
    gateway_off();
    OK(cg_yield(cg_http_shutdown(behind, .idle = CG_NOWAIT, .timeout = CG_SECOND)));
    OK(test_end(open_door));
    cg_http_server_free(behind);
    cg_sock_close(door);
}

static void small(const char *carrier)
{
    has(ask("GET /up/say" V CLOSE "\r\n"), "\r\n\r\nsaid\n");
    has(got, carrier);
    has(got, "\r\nVia: ");
    IS(status_of("GET /up/none" V CLOSE "\r\n"), 404);
    has(ask("HEAD /up/say" V CLOSE "\r\n"), "\r\nContent-Length: 5\r\n");
}

/* A body that takes several pieces, in both directions. */
static void large(void)
{
    static char text[BODY + 200];
    size_t head = (size_t)sprintf(text, "POST /up/echo" V CLOSE "Content-Length: %d\r\n\r\n", BODY);
    const char *body;

    for (size_t i = 0; i < BODY; i++)
        text[head + i] = (char)('a' + i % 23);
    text[head + BODY] = '\0';
    ask(text);
    has(got, " 200 OK\r\n");
    if (!h2_text_on) /* there it comes in chunks */
        return;
    body = strstr(got, "\r\n\r\n") + 4;
    ck_assert_uint_eq(strlen(body), BODY);
    ck_assert_int_eq(memcmp(body, text + head, BODY), 0);
}

/* What only the text of HTTP/1 shows: trailers, and a response that is not complete. */
static void framed(void)
{
    if (h2_text_on)
        return;
    has(ask("POST /up/echo" V CLOSE "TE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n"
            "5\r\nhello\r\n0\r\nt: 1\r\n\r\n"),
        "\r\n5\r\nhello\r\n0\r\nt: 1\r\n\r\n");
    has(ask("GET /up/die" V CLOSE "\r\n"), "\r\n5\r\nbegun\r\n");
    ck_assert_ptr_null(strstr(got, "\r\n0\r\n"));
}

/* A client that resets its connection: the upstream's handler is told. */
static void leave(void)
{
    struct cg_sock *sock;
    struct linger now = {.l_onoff = 1};

    if (h2_text_on)
        return;
    sock = serve_client();
    send_text(sock, "GET /up/hold" V "\r\n");
    while (reached == 0)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    cg_sock_setopt(sock, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    cg_sock_close(sock);
    while (deserted == 0)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
}

static const char *way(char url[static 2 * CG_ADDR_SIZE], const char *path)
{
    snprintf(url, 2 * CG_ADDR_SIZE, "ws://%s%s", addr, path);
    return url;
}

static void comes_back(struct cg_ws *ws, int kind, const char *data, size_t len)
{
    struct cg_ws_message message;

    IS(cg_yield(cg_ws_write(ws, kind, data, len)), (ssize_t)len);
    IS(cg_yield(cg_ws_read(ws, &message)), kind);
    ck_assert_uint_eq(message.len, len);
    ck_assert_mem_eq(message.data, data, len);
}

/* WebSockets, several at a time: messages of all sizes pass, and the end of either side does;
 * an upstream that refuses is heard. */
static void websockets(void)
{
    struct cg_http_client *asking =
        CLIENT(.protocols = h2_text_on ? CG_HTTP_H2 | CG_HTTP_H2C : CG_HTTP_H1);
    char url[2 * CG_ADDR_SIZE], why[CG_HTTP_WHY_SIZE];
    static char data[BODY];
    struct cg_ws_message message;
    struct cg_ws *ws, *other;

    for (size_t i = 0; i < BODY; i++)
        data[i] = (char)(i * 7 + i / 251);
    OK(cg_yield(cg_ws_connect(asking, way(url, "/up/talk"), &ws, .deflate = true,
                              .protocol = "a")));
    ck_assert_str_eq(cg_ws_protocol(ws), "a");
    OK(cg_yield(cg_ws_connect(asking, way(url, "/up/talk"), &other)));
    comes_back(ws, CG_WS_TEXT, "hello", 5);
    comes_back(other, CG_WS_BINARY, data, BODY);
    comes_back(ws, CG_WS_BINARY, data, BODY);
    comes_back(other, CG_WS_TEXT, "", 0);
    OK(cg_yield(cg_ws_end(ws, CG_WS_NORMAL)));
    OK(cg_yield(cg_ws_send_text(other, "close")));
    IS(cg_yield(cg_ws_read(other, &message)), 0);
    IS(cg_ws_code(other), CG_WS_GOING_AWAY);
    cg_ws_free(ws);
    cg_ws_free(other);
    IS(cg_yield(cg_ws_connect(asking, way(url, "/up/none"), &ws, .why = why)), CG_EWS);
    has(why, "404");
    cg_http_client_free(asking);
}

/* Over HTTP/2 the gateway answers for the key that the client does not send. A request for another
 * protocol does not go to the upstream without its Upgrade, as one of HTTP/1 does. */
static void upgrades(bool upstream_h2)
{
    struct cg_http_client *asking = CLIENT(.protocols = CG_HTTP_H2 | CG_HTTP_H2C);
    char url[2 * CG_ADDR_SIZE], why[CG_HTTP_WHY_SIZE];
    struct cg_http_reply *answer;
    struct cg_ws *ws;

    if (h2_text_on && !upstream_h2) {
        IS(cg_yield(cg_ws_connect(asking, way(url, "/up/misunderstand"), &ws, .why = why)), CG_EWS);
        has(why, "502");
    }
    if (h2_text_on) {
        const struct cg_http_field other[] = {
            {"Upgrade", "x-other"}, {"Connection", "upgrade"}, {NULL, NULL}};
        unsigned before = reached;

        snprintf(url, sizeof url, "http://%s/up/count", addr);
        IS(cg_yield(cg_http_fetch(asking,
                                  &((struct cg_http_fetch){
                                      .url = url, .fields = other, .upgrade = true}),
                                  &answer)),
           501);
        cg_http_reply_free(answer);
        IS((ssize_t)reached, (ssize_t)before);
    }
    cg_http_client_free(asking);
}

static ssize_t all(void *arg)
{
    bool h2 = arg != NULL;

    open_all(h2 ? CG_HTTP_H2C : CG_HTTP_H1);
    small(h2 ? ": HTTP/2\r\n" : ": HTTP/1.1\r\n");
    large();
    framed();
    leave();
    websockets();
    upgrades(h2);
    small(h2 ? ": HTTP/2\r\n" : ": HTTP/1.1\r\n");
    close_all();
    return 0;
}

static ssize_t upstream_of_h1(void *arg)
{
    (void)arg;
    return all(NULL);
}

static ssize_t upstream_of_h2(void *arg)
{
    (void)arg;
    return h2_text_can() ? all(&behind) : 0;
}

int main(void)
{
    static const struct test_case cases[] = {CORO(upstream_of_h1), CORO(upstream_of_h2)};

    return both_main("http gateway carriers", cases, COUNT(cases), NULL, 0);
}
