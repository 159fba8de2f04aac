/* SPDX-License-Identifier: MIT */
/* Requests: what is common to all carriers, and the accessors of a request. */
#include "config.h"

#include "http/coding/encoder.h"
#include "http/server/peer.h"
#include "http/server/request/request.h"
#include "lib/base/ascii.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void cg__http_request_clear(struct cg_http_request *req)
{
    struct cg_http_headers *lists[] = {&req->line,        &req->in,    &req->trailers,
                                       &req->params,      &req->query, &req->out,
                                       &req->out_trailers};

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        cg__http_message_clear(lists[i]);
}

/* Most requests use the first two lists only: it is cheaper to check than to reset the others. */
void cg__http_request_reset(struct cg_http_request *req)
{
    cg__http_message_reset(&req->line, CG__HTTP_KEEP);
    cg__http_message_reset(&req->in, CG__HTTP_KEEP);
    if (req->trailers.used | req->params.used | req->query.used | req->out.used |
        req->out_trailers.used) {
        cg__http_message_reset(&req->trailers, CG__HTTP_KEEP);
        cg__http_message_reset(&req->params, CG__HTTP_KEEP);
        cg__http_message_reset(&req->query, CG__HTTP_KEEP);
        cg__http_message_reset(&req->out, CG__HTTP_KEEP);
        cg__http_message_reset(&req->out_trailers, CG__HTTP_KEEP);
    }
    if (req->whole != NULL)
        free(req->whole);
    if (req->encoder != NULL)
        cg__http_encoder_free(req->encoder);
    memset(&req->scheme, 0, sizeof *req - offsetof(struct cg_http_request, scheme));
}

const char *cg_http_request_method(const struct cg_http_request *req)
{
    return req->method;
}

const char *cg_http_request_target(const struct cg_http_request *req)
{
    return cg__http_message_at(&req->line, req->text);
}

const char *cg_http_request_path(const struct cg_http_request *req)
{
    return req->path;
}

const char *cg_http_request_param(const struct cg_http_request *req, const char *name)
{
    if (req->rest != NULL && strcmp(name, "*") == 0)
        return req->rest;
    return cg_http_headers_get(&req->params, name);
}

/* The list may have the decoded path at its start, and may move. */
int cg_http_request_set_param(struct cg_http_request *req, const char *name,
                              const char *value)
{
    bool inside = req->params.data != NULL && req->path == req->params.data;
    size_t rest = req->rest != NULL ? (size_t)(req->rest - req->path) : 0;
    int rc = cg_http_headers_set(&req->params, name, value);

    if (inside)
        req->path = req->params.data;
    if (req->rest != NULL)
        req->rest = req->path + rest;
    return rc;
}

const char *cg_http_request_header(const struct cg_http_request *req, const char *name)
{
    return cg_http_headers_get(&req->in, name);
}

const struct cg_http_headers *cg_http_request_headers(const struct cg_http_request *req)
{
    return &req->in;
}

const struct cg_http_headers *
cg_http_request_trailers(const struct cg_http_request *req)
{
    return &req->trailers;
}

int64_t cg_http_request_length(const struct cg_http_request *req)
{
    return req->unsized ? -1 : (int64_t)req->length;
}

const char *cg_http_request_protocol(const struct cg_http_request *req)
{
    return req->carrier->protocols[req->minor];
}

const char *cg_http_request_scheme(const struct cg_http_request *req)
{
    const char *target = cg_http_request_target(req);

    if (req->scheme != NULL)
        return req->scheme;
    return cg__ascii_begins(target, "http://")    ? "http"
           : cg__ascii_begins(target, "https://") ? "https"
                                                  : NULL;
}

int cg_http_request_client(const struct cg_http_request *req, const char **client)
{
    const char *told = cg_http_request_param(req, "client-address");

    if (told == NULL || strlen(told) >= CG_ADDR_SIZE)
        return cg__http_peer_find(req->conn, client);
    *client = told;
    return 0;
}

int cg_http_request_minor(const struct cg_http_request *req)
{
    return req->minor;
}
