/* SPDX-License-Identifier: MIT */
/* The head of a response. */
#ifndef COGEN_HTTP_SERVER_RESPONSE_HEAD_H
#define COGEN_HTTP_SERVER_RESPONSE_HEAD_H

#include "http/coding/coding.h"
#include "http/server/server.h"

/* The size of a head without the fields that the handler has set and without the type is at
 * most this. */
enum {
    CG__HTTP_HEAD_ROOM = CG__HTTP_USUAL + 256
};

/* Whether the response must not have a body: to HEAD, or to CONNECT that succeeds. An
 * invalid request may have no method. */
static inline bool cg__http_response_is_bare(const struct cg_http_request *req,
                                             int status)
{
    int code = req->code;

    return req->method != NULL &&
           (code == HTTP_HEAD || (code == HTTP_CONNECT && status / 100 == 2));
}

/* Begins the response: gives the head to the carrier, with room for `behind` bytes of body
 * after it if possible. `length`: of the body, -1: unknown. 0; -ENOBUFS: flush
 * first; -EMSGSIZE: the head is too long; -EINVAL: not a final status; -ENOMEM. */
int cg__http_response_head_put(struct cg_http_request *req, int status, int64_t length,
                               const char *type, size_t behind);

/* Like cg__http_response_head_put; flushes first if there is no room. Yields. */
ssize_t cg__http_response_head_write(struct cg_http_request *req, int status,
                                     int64_t length, const char *type);

/* Whether a body of this type (or that of the field Content-Type) is worth compressing. */
bool cg__http_response_is_worth(const struct cg_http_request *req, int status,
                                const char *type);

/* Notes in the head that the body is compressed. The handler's entity tag becomes a weak one, since
 * the body is not, byte for byte, that of another coding (RFC 9110, 8.8.1). 0 or -ENOMEM. */
int cg__http_response_head_coded(struct cg_http_request *req, enum cg__http_coding coding);

#endif
