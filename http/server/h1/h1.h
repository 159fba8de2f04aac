/* SPDX-License-Identifier: MIT */
/* A request over HTTP/1. */
#ifndef COGEN_HTTP_SERVER_H1_H
#define COGEN_HTTP_SERVER_H1_H

#include "http/server/server.h"

struct cg__http_h1_request {
    struct cg_http_request message; /* must be the first member */
    struct cg__http_parser parser;
    /* A view of the connection's input. It stays lent from one request to the next while it
     * has unparsed bytes or a piece of the body. */
    struct cg_view view;
    size_t parsed; /* bytes of the view */
};

static inline struct cg__http_h1_request *cg__http_h1_of(struct cg_http_request *req)
{
    return (struct cg__http_h1_request *)req;
}

#endif
