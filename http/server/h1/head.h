/* SPDX-License-Identifier: MIT */
/* How a head is laid out in HTTP/1. */
#ifndef COGEN_HTTP_SERVER_H1_HEAD_H
#define COGEN_HTTP_SERVER_H1_HEAD_H

#include "http/server/server.h"

/* Copies bytes; returns their end. */
static inline char *cg__http_h1_put(char *to, const char *text, size_t size)
{
    memcpy(to, text, size);
    return to + size;
}

#define CG__HTTP_H1_PUT(to, text) cg__http_h1_put(to, text, sizeof(text) - 1)

/* Writes fields as lines; returns their end. */
char *cg__http_h1_fields(char *to, const struct cg_http_headers *headers);

/* Operations of the carrier. */
int cg__http_h1_room(struct cg_http_request *req, size_t head, size_t behind);
int cg__http_h1_head(struct cg_http_request *req, int status, int64_t length,
                     const char *type);

#endif
