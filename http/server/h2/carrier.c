/* SPDX-License-Identifier: MIT */
/* HTTP/2 as a carrier: heads go to nghttp2, which asks for bodies when windows and the
 * connection have room. */
#include "config.h"

#include "http/server/h2/body.h"
#include "http/server/h2/carrier.h"
#include "http/server/h2/fields.h"
#include "http/server/h2/tunnel.h"
#include "http/server/h2/writer.h"

#include <errno.h>
#include <stdlib.h>

static bool is_lost(const struct cg_http_request *req)
{
    return cg__http_h2_of(req)->lost || req->conn->broken;
}

static int room(struct cg_http_request *req, size_t head, size_t behind)
{
    (void)head;
    (void)behind;
    return is_lost(req) ? -ECONNRESET : 0;
}

/* HTTP/2 has no 101: 2xx accepts an upgrade. So a handler that knows nothing of it and sends
 * its page must not be understood to do that. */
static int status_on_wire(const struct cg_http_request *req, int status)
{
    if (status == 101)
        return 200;
    return cg__http_h2_of(req)->connects && !req->switches && status / 100 == 2 ? 501 : status;
}

static int submit(struct cg_http_request *req, int status, int64_t length,
                  const char *type)
{
    struct cg__http_h2_stream *stream = cg__http_h2_of(req);
    struct cg__http_h2_head *fields =
        cg__http_h2_fields_head(stream, status_on_wire(req, status), length, type);
    nghttp2_data_provider body = {{.ptr = stream}, cg__http_h2_body_give};
    bool bare = !req->switches && (req->framing == CG__HTTP_NO_BODY || length == 0);
    int rc;

    if (fields == NULL)
        return -ENOMEM;
    stream->last = bare;
    rc = nghttp2_submit_response(stream->h2->session, stream->id, fields->fields,
                                 fields->count, bare ? NULL : &body);
    if (rc < 0)
        return rc == NGHTTP2_ERR_NOMEM ? -ENOMEM : -ECONNRESET;
    cg__http_h2_writer_wake(stream->h2);
    return 0;
}

/* For an upgrade the socket is made first, so that nothing can fail after the head. */
static int head(struct cg_http_request *req, int status, int64_t length,
                const char *type)
{
    struct cg__http_h2_stream *stream = cg__http_h2_of(req);
    int rc = req->switches ? cg__http_h2_tunnel_open(stream) : 0;

    if (rc < 0)
        return rc;
    rc = submit(req, status, length, type);
    if (rc < 0 && req->switches)
        cg_sock_close(cg__http_h2_tunnel_sock(stream->tunnel));
    return rc;
}

static char *place(struct cg_http_request *req, size_t len)
{
    struct cg__http_h2_bytes *out = &cg__http_h2_of(req)->out;
    char *data;

    if (out->size < len) {
        data = realloc(out->data, len);
        if (data == NULL)
            return NULL;
        out->data = data;
        out->size = len;
    }
    return out->data;
}

static void put(struct cg_http_request *req, size_t len)
{
    struct cg__http_h2_stream *stream = cg__http_h2_of(req);

    stream->out.len = len;
    stream->last = true;
    cg__http_h2_writer_resume(stream);
}

static ssize_t wait_taken(struct cg__http_h2_stream *stream)
{
    cg__http_h2_writer_resume(stream);
    return cg__http_h2_body_wait(stream);
}

static bool is_rest(const struct cg_http_request *req)
{
    return req->framing == CG__HTTP_LENGTH && req->left == 0;
}

static ssize_t write_body(struct cg_http_request *req, const void *data, size_t len)
{
    struct cg__http_h2_stream *stream = cg__http_h2_of(req);

    if (is_lost(req))
        return -ECONNRESET;
    if (len == 0)
        return 0; /* the head needs no push */
    stream->data = data;
    stream->len = len;
    stream->last = is_rest(req);
    return wait_taken(stream);
}

static ssize_t send_file(struct cg_http_request *req, int file, int64_t offset,
                         uint64_t len)
{
    struct cg__http_h2_stream *stream = cg__http_h2_of(req);

    if (is_lost(req))
        return -ECONNRESET;
    stream->file = file;
    stream->offset = offset;
    stream->file_left = len;
    stream->last = is_rest(req);
    return wait_taken(stream);
}

static ssize_t end(struct cg_http_request *req)
{
    struct cg__http_h2_stream *stream = cg__http_h2_of(req);

    stream->last = true;
    cg__http_h2_writer_resume(stream);
    return 0;
}

static ssize_t interim(struct cg_http_request *req, int status,
                       const struct cg_http_field *fields, size_t len)
{
    struct cg__http_h2_stream *stream = cg__http_h2_of(req);
    struct cg__http_h2_head *all = cg__http_h2_fields_interim(stream, status, fields);
    int rc;

    (void)len;
    if (all == NULL)
        return -ENOMEM;
    rc = is_lost(req)
             ? NGHTTP2_ERR_STREAM_CLOSED
             : nghttp2_submit_headers(stream->h2->session, NGHTTP2_FLAG_NONE,
                                      stream->id, NULL, all->fields, all->count, NULL);
    if (rc < 0)
        return rc == NGHTTP2_ERR_NOMEM ? -ENOMEM : -ECONNRESET;
    cg__http_h2_writer_wake(stream->h2);
    return 0;
}

static struct cg_sock *sock(struct cg_http_request *req)
{
    return req->conn->sock;
}

static ssize_t give(struct cg_http_request *req, struct cg_sock **sock)
{
    struct cg__http_h2_stream *stream = cg__http_h2_of(req);

    stream->given = true;
    *sock = cg__http_h2_tunnel_sock(stream->tunnel);
    return 0;
}

static const struct cg_op_type *left(struct cg_http_request *req,
                                     struct cg_http_wait_left_op *wait)
{
    wait->event.event = &cg__http_h2_of(req)->left;
    return &cg_wait_event_type;
}

const struct cg__http_carrier cg__http_h2_carrier = {
    .room = room,
    .head = head,
    .place = place,
    .put = put,
    .write = write_body,
    .send_file = send_file,
    .end = end,
    .interim = interim,
    .more = cg__http_h2_body_more,
    .sock = sock,
    .give = give,
    .left = left,
    .is_lost = is_lost,
    .protocols = {"HTTP/2", "HTTP/2"},
};
