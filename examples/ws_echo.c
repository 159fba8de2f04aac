/* SPDX-License-Identifier: MIT */
/* A WebSocket server that sends every message back, at every path:
 *
 *     ./ws_echo                           on 127.0.0.1:9001, until Ctrl-C
 *     ./http_client ws://127.0.0.1:9001/  in another terminal
 *     ./ws_echo --protocols h1,h2c        also over HTTP/2
 *
 * It is a service, see service.h.
 */
#include <cogen/websocket.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "common.h"
#include "http_protocols.h"
#include "http_server_tls.h"
#include "service.h"

static const char *bytes, *cert, *key, *protocol_list, *workers = "1";
static uint64_t limit;
static uint8_t protocols;

/* Short answers are gathered while further messages have come already. */
static ssize_t echo(struct cg_ws *ws, ssize_t kind, const struct cg_ws_message *message, void *arg)
{
    (void)arg;
    if (message == NULL) /* it has ended */
        return 0;
    return cg_yield(cg_ws_write(ws, kind, message->data, message->len,
                                .more = cg_ws_has_input(ws)));
}

static ssize_t accept_it(struct cg_http_request *req, void *arg)
{
    struct cg_ws *ws;
    ssize_t n = cg_yield(cg_ws_accept(req, &ws, .deflate = true, .limit = limit, .origins = "*"));

    (void)arg;
    if (n != 0)
        return n;
    n = cg_ws_serve(ws, req, echo, NULL);
    if (n < 0)
        cg_ws_free(ws);
    return n;
}

static struct cg_http_server *open_server(void)
{
    struct cg_http_server *server = cg_http_server_new(
        .protocols = protocols, .wrap = cert != NULL ? server_tls_wrap : NULL);

    if (server == NULL || cg_http_server_mount(server, "/", accept_it, NULL) < 0) {
        example_fail("server", -ENOMEM);
        cg_http_server_free(server);
        return NULL;
    }
    return server;
}

static ssize_t reload(void)
{
    return cert != NULL ? server_tls_reload() : 0;
}

static void read_limit(const struct example *ex)
{
    char *end = "";

    errno = 0;
    limit = bytes == NULL ? 16 * 1024 * 1024 : strtoull(bytes, &end, 10);
    if (*end != '\0' || limit == 0 || errno != 0 ||
        (bytes != NULL && (*bytes < '0' || *bytes > '9')))
        example_usage(ex, "--limit needs a number of bytes, at least 1 and below 2^64");
}

int main(int argc, char **argv)
{
    const struct example_option options[] = {
        {"limit", "BYTES", "the longest message (16777216)", &bytes, 0},
        {"tls-cert", "FILE", "serve wss with this certificate (PEM)", &cert, 0},
        {"tls-key", "FILE", "its key, if that is in a separate file", &key, 0},
        {"protocols", "LIST", HTTP_PROTOCOLS_HELP, &protocol_list, 0},
        {"workers", "N", "use N processors, 0: all of them (1)", &workers, 0},
        {0},
    };
    struct example ex = {
        .name = "ws_echo",
        .about = "Sends WebSocket messages back",
        .listen = "127.0.0.1:9001",
        .network = true,
        .options = options,
    };
    struct service service = {
        .open = open_server,
        .close = cg_http_server_free,
        .reload = reload,
        .grace = 3 * CG_SECOND,
        .patience = CG_MINUTE,
    };
    const char *why;

    service_prepare(argv);
    example_begin(&ex, argc, argv);
    read_limit(&ex);
    protocols = (uint8_t)http_protocols(&ex, protocol_list, cert != NULL);
    service.workers = workers;
    if (cert != NULL && server_tls_open(cert, key, http_protocols_alpn(protocols), &why) < 0) {
        example_complain("--tls-cert", why);
        return example_status();
    }
    service_run(&ex, &service);
    server_tls_close();
    return example_status();
}
