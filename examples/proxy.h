/* SPDX-License-Identifier: MIT */
/* What the files of the example proxy share. */
#ifndef EXAMPLES_PROXY_H
#define EXAMPLES_PROXY_H

#include <cogen.h>
#include <cogen/http_client.h>
#include <cogen/http_server.h>

struct proxy {
    struct cg_http_client *client;
    int64_t patience; /* with whoever is silent, ns */
    char name[32];    /* in Via; nobody else has it */
};

/* proxy.c: answers with a status and a line that says why. */
ssize_t proxy_refuse(struct cg_http_request *req, int status, const char *why);

/* proxy_forward.c: answers a request with what the server that it names answers. Answers
 * what a handler should. */
ssize_t proxy_forward(struct cg_http_request *req, const struct proxy *proxy);

/* proxy_tunnel.c: answers a CONNECT, and carries bytes both ways until both have ended. */
ssize_t proxy_tunnel(struct cg_http_request *req, const struct proxy *proxy);

#endif
