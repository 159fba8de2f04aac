/* SPDX-License-Identifier: MIT */
/* What the files of the example proxy share. */
#ifndef EXAMPLES_PROXY_H
#define EXAMPLES_PROXY_H

#include <cogen.h>
#include <cogen/http_client.h>
#include <cogen/http_server.h>

struct proxy {
    struct cg_http_client *client;
    int64_t patience; /* the timeout for silent clients and servers, ns */
    char name[32];    /* for Via; a unique name, by which loops are found */
};

/* proxy.c: responds with a status and a line that says why. */
ssize_t proxy_refuse(struct cg_http_request *req, int status, const char *why);

/* proxy_forward.c: forwards a request to the server that its target names, and the
 * response back to the client. Returns what a handler returns. */
ssize_t proxy_forward(struct cg_http_request *req, const struct proxy *proxy);

/* proxy_tunnel.c: responds to a CONNECT, and relays bytes in both directions until both
 * have ended. */
ssize_t proxy_tunnel(struct cg_http_request *req, const struct proxy *proxy);

#endif
