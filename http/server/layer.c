/* SPDX-License-Identifier: MIT */
/* Layers around handlers: an array whose last element has the handler. That of a server
 * finds the handler by the request's path. */
#include "config.h"

#include "http/server/layer.h"
#include "http/server/response/response.h"
#include "http/server/route.h"

#include <cogen/trace.h>

#include <errno.h>
#include <stdlib.h>

static ssize_t routed(struct cg_http_request *req, void *arg)
{
    const struct cg__http_route *route;
    int status;

    (void)arg;
    route = cg__http_route(req, &status);
    return route != NULL ? route->handler(req, route->arg)
                         : cg__http_response_plain(req, status);
}

ssize_t cg__http_layer_handle(struct cg_http_request *req)
{
    const struct cg_http_layer *layers = req->server->layers;
    uint64_t span = cg_trace_begin(req->method, req->path);
    ssize_t n = layers == NULL ? routed(req, NULL) : cg_http_layer_run(layers, req);

    if (span != 0)
        cg_trace_end(span);
    return n;
}

ssize_t cg_http_layer_run(const struct cg_http_layer *layers, struct cg_http_request *req)
{
    return layers->handler != NULL ? layers->handler(req, layers->arg)
                                   : layers->around(req, layers + 1, layers->arg);
}

ssize_t cg_http_layers_handler(struct cg_http_request *req, void *layers)
{
    return cg_http_layer_run(layers, req);
}

int cg_http_server_add_layer(struct cg_http_server *server, cg_http_around *around, void *arg)
{
    size_t count = server->nlayers;
    struct cg_http_layer *layers;

    if (around == NULL)
        return -EINVAL;
    layers = realloc(server->layers, (count + 2) * sizeof *layers);
    if (layers == NULL)
        return -ENOMEM;
    layers[count] = (struct cg_http_layer){.around = around, .arg = arg};
    layers[count + 1] = (struct cg_http_layer){.handler = routed};
    server->layers = layers;
    server->nlayers = count + 1;
    return 0;
}
