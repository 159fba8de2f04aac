/* SPDX-License-Identifier: MIT */
/* The smallest web server: one handler, mounted on one path.
 *
 *     ./http_hello --listen 127.0.0.1:8080
 *     curl -i http://127.0.0.1:8080/              in another terminal
 *     wrk -c 64 http://127.0.0.1:8080/            how fast it is
 */
#include <cogen.h>
#include <cogen/http_server.h>

#include "common.h"

static struct cg_http_server *server;

static ssize_t hello(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, "Hello, world!\n"));
}

static ssize_t serve(void *listener)
{
    ssize_t n = cg_yield(cg_http_serve(server, listener));

    cg_sock_close(listener);
    return n;
}

int main(int argc, char **argv)
{
    struct example ex = {
        .name = "http_hello",
        .about = "Says hello over HTTP",
        .listen = "127.0.0.1:8080",
        .network = true,
    };
    int status;

    example_open(&ex, argc, argv);
    server = cg_http_server_new();
    if (server != NULL && cg_http_server_mount(server, "GET /", hello, NULL) == 0)
        example_serve(&ex, serve);
    status = example_run(&ex);
    cg_http_server_free(server);
    return status;
}
