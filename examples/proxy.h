/* SPDX-License-Identifier: MIT */
/* What the files of the example proxy share. */
#ifndef EXAMPLES_PROXY_H
#define EXAMPLES_PROXY_H

#include <cogen.h>
#include <cogen/http_client.h>
#include <cogen/http_gateway.h>
#include <cogen/http_server.h>

struct proxy {
    struct cg_http_client *client;
    int64_t patience; /* the timeout for silent clients and servers, ns */
    char name[32];    /* for Via; a unique name, by which loops are found */
    struct cg_http_hop hop;
};

/* proxy.c: responds with a status and a line that says why. */
ssize_t proxy_refuse(struct cg_http_request *req, int status, const char *why);

/* proxy_tunnel.c: responds to a CONNECT, and relays bytes in both directions until both
 * have ended. */
ssize_t proxy_tunnel(struct cg_http_request *req, const struct proxy *proxy);

#endif
