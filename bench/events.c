/* SPDX-License-Identifier: MIT */
/* Responds to each GET with a stream of server-sent events, of which none is ever published:
 * the server of idle clients that is measured. */
#include <cogen.h>
#include <cogen/http_events.h>
#include <cogen/http_server.h>
#include <errno.h>

#include "examples/common.h"

static struct cg_http_events *events;

static ssize_t listen_to(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_serve_events(req, events));
}

static ssize_t serve(void *listener)
{
    struct cg_http_server *server = cg_http_server_new();
    ssize_t n = server != NULL ? 0 : -ENOMEM;

    events = cg_http_events_new(.heartbeat = CG_NEVER);
    if (n == 0)
        n = events != NULL ? cg_http_server_mount(server, "GET /", listen_to, NULL) : -ENOMEM;
    if (n == 0)
        n = cg_yield(cg_http_serve(server, listener));
    cg_http_events_free(events);
    cg_http_server_free(server);
    cg_sock_close(listener);
    return n;
}

int main(int argc, char **argv)
{
    struct example ex = {
        .name = "events",
        .about = "Keeps a stream of server-sent events open for each client",
        .listen = "127.0.0.1:0",
        .network = true,
    };

    example_open(&ex, argc, argv);
    example_serve(&ex, serve);
    return example_run(&ex);
}
