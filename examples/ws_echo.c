/* SPDX-License-Identifier: MIT */
/* A WebSocket server that sends every message back, at every path:
 *
 *     ./ws_echo                           on 127.0.0.1:9001, until Ctrl-C
 *     ./http_client ws://127.0.0.1:9001/  in another terminal
 *
 * It is a service, see service.h.
 */
#include <cogen/websocket.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "common.h"
#include "service.h"

static uint64_t limit;

/* Short answers are gathered while further messages have come already. */
static ssize_t echo(struct cg_http_request *req, void *arg)
{
    struct cg_ws_message message;
    struct cg_ws *ws;
    ssize_t n = cg_yield(cg_ws_accept(req, &ws, .deflate = true, .limit = limit, .origins = "*"));

    (void)arg;
    if (n != 0)
        return n;
    while ((n = cg_yield(cg_ws_read(ws, &message))) > 0) {
        n = cg_yield(cg_ws_write(ws, n, message.data, message.len,
                                 .more = cg_ws_has_input(ws)));
        if (n < 0)
            break;
    }
    cg_ws_free(ws);
    return 0;
}

static struct cg_http_server *open_server(void)
{
    struct cg_http_server *server = cg_http_server_new();

    if (server == NULL || cg_http_server_mount(server, "/", echo, NULL) < 0) {
        example_fail("server", -ENOMEM);
        cg_http_server_free(server);
        return NULL;
    }
    return server;
}

int main(int argc, char **argv)
{
    const char *bytes = NULL, *workers = "1";
    const struct example_option options[] = {
        {"limit", "BYTES", "the longest message (16777216)", &bytes, 0},
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
        .grace = 3 * CG_SECOND,
        .patience = CG_MINUTE,
    };
    char *end = "";

    service_keep_command(argv);
    example_begin(&ex, argc, argv);
    limit = bytes == NULL ? 16 * 1024 * 1024 : strtoull(bytes, &end, 10);
    if (*end != '\0' || limit == 0 || (bytes != NULL && (*bytes < '0' || *bytes > '9')))
        example_usage(&ex, "--limit needs a number of bytes");
    service.workers = workers;
    return service_run(&ex, &service);
}
