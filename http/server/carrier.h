/* SPDX-License-Identifier: MIT */
/* What carries a request and its response: HTTP/1 or HTTP/2. The message (struct
 * cg_http_request) and everything that handlers call know a carrier by this table only. */
#ifndef COGEN_HTTP_SERVER_CARRIER_H
#define COGEN_HTTP_SERVER_CARRIER_H

#include <cogen/http_server.h>

/* Functions that return ssize_t may yield; the others never do. */
struct cg__http_carrier {
    /* Makes room for a head of that many bytes and, if possible, `behind` bytes of body
     * after it. 0; -ENOBUFS: flush first; -ENOMEM. */
    int (*room)(struct cg_http_request *req, size_t head, size_t behind);
    /* Begins the response: lays the head out after room() has returned 0. `length`: of the
     * body, -1: unknown; `type`: its Content-Type, or NULL. 0 or a negative code. */
    int (*head)(struct cg_http_request *req, int status, int64_t length,
                const char *type);
    /* A place for so many bytes of body after the head that has just been laid out; put()
     * says that they are there. NULL: there is none. */
    char *(*place)(struct cg_http_request *req, size_t len);
    void (*put)(struct cg_http_request *req, size_t len);
    /* Writes what has been laid out, and then a piece of the body, which may be empty. 0 or
     * a negative code. */
    ssize_t (*write)(struct cg_http_request *req, const void *data, size_t len);
    ssize_t (*send_file)(struct cg_http_request *req, int file, int64_t offset,
                         uint64_t len);
    /* Ends a body of unknown length, with the trailers. 0 or a negative code. */
    ssize_t (*end)(struct cg_http_request *req);
    /* Writes an interim response; `len` of all its fields. 0 or a negative code. */
    ssize_t (*interim)(struct cg_http_request *req, int status,
                       const struct cg_http_field *fields, size_t len);
    /* Called while the request has no piece of its body and has not ended: gets the next
     * piece, or finds that it has ended (body_done), or neither. 0 or a negative code. */
    ssize_t (*more)(struct cg_http_request *req);
    /* The connection's socket, of which nothing is lent. */
    struct cg_sock *(*sock)(struct cg_http_request *req);
    /* Gives the connection up to a handler, after the head of the response. NULL: this
     * carrier's connections cannot be given up. */
    ssize_t (*give)(struct cg_http_request *req, struct cg_sock **sock);
    /* Fills in the operation that waits until the client has left, and returns the type that
     * serves it. */
    const struct cg_op_type *(*left)(struct cg_http_request *req,
                                     struct cg_http_wait_left_op *wait);
    /* Whether nothing can be sent any more. */
    bool (*is_lost)(const struct cg_http_request *req);
    const char *protocols[2]; /* by the minor version: "HTTP/1.0" */
};

#endif
