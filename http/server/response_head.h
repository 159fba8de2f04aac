/* SPDX-License-Identifier: MIT */
/* The head of a response. */
#ifndef COGEN_HTTP_SERVER_RESPONSE_HEAD_H
#define COGEN_HTTP_SERVER_RESPONSE_HEAD_H

#include "http/server/server.h"

/* A head takes at most so many bytes besides what has been set, and the type. */
enum {
    CG__HTTP_HEAD_ROOM = CG__HTTP_USUAL + 256
};

/* Copies bytes; returns the place behind them. */
static inline char *cg__http_response_put(char *to, const char *text, size_t size)
{
    memcpy(to, text, size);
    return to + size;
}

#define CG__HTTP_PUT(to, text) cg__http_response_put(to, text, sizeof(text) - 1)

/* Lays fields out as lines; returns the place behind them. */
char *cg__http_response_head_fields(char *to, const struct cg_http_headers *headers);

/* Whether no body may follow: an answer to HEAD, or to a CONNECT that succeeds. What is
 * refused may have no method. */
static inline bool cg__http_response_is_bare(const struct cg_http_request *req,
                                             int status)
{
    int code = req->parser.code;

    return req->parser.method != NULL &&
           (code == HTTP_HEAD || (code == HTTP_CONNECT && status / 100 == 2));
}

/* Puts the head of the response into the output, with room for so many bytes behind it if
 * that can be. `length`: of the body, -1: not known. 0; -ENOBUFS: there is no room now;
 * -EMSGSIZE: it is too long; -EINVAL. */
int cg__http_response_head_put(struct cg_http_request *req, int status, int64_t length,
                               const char *type, size_t behind);

/* The same; writes what is in its way first. Yields. */
ssize_t cg__http_response_head_write(struct cg_http_request *req, int status,
                                     int64_t length, const char *type);

/* Whether a body of that type (if no field says another) is worth compressing. */
bool cg__http_response_is_worth(const struct cg_http_request *req, int status,
                                const char *type);

#endif
