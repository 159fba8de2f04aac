/* SPDX-License-Identifier: MIT */
/* Bodies that are written piece by piece: bytes and files. */
#include "config.h"

#include "http/coding/accept_encoding.h"
#include "http/coding/compress.h"
#include "http/coding/encoder.h"
#include "http/server/response/response_head.h"
#include "http/server/response/response_write.h"

#include <errno.h>
#include <unistd.h>

/* Chooses an encoder for a text of unknown length that the client accepts compressed.
 * Without memory the text stays uncompressed. */
static void choose_coding(struct cg_http_request *req, int status)
{
    enum cg__http_coding coding;

    if (req->out.count == 0 ||
        req->server->options.compress_above == CG_HTTP_UNLIMITED ||
        cg_http_headers_get(&req->out, "Content-Length") != NULL ||
        !cg__http_response_is_worth(req, status, NULL))
        return;
    coding = cg__http_accept_encoding(&req->in, cg__http_compress_pieces);
    if (coding == CG__HTTP_IDENTITY)
        coding = cg__http_accept_encoding(&req->in, cg__http_compress_otherwise);
    if (cg_http_headers_add(&req->out, "Vary", "Accept-Encoding") < 0 ||
        coding == CG__HTTP_IDENTITY)
        return;
    req->encoder = cg__http_encoder_new(coding, 0);
    if (req->encoder != NULL && cg__http_response_head_coded(req, coding) < 0) {
        cg__http_encoder_free(req->encoder);
        req->encoder = NULL;
    }
}

static void free_encoder(struct cg_http_request *req)
{
    cg__http_encoder_free(req->encoder);
    req->encoder = NULL;
}

/* The head could not be written: the handler may still respond without a coding. */
static void forget_coding(struct cg_http_request *req)
{
    if (req->encoder == NULL)
        return;
    free_encoder(req);
    cg_http_headers_remove(&req->out, "Content-Encoding");
}

/* Begins the response unless it has begun. `text`: its body may be compressed. */
static ssize_t begin(struct cg_http_request *req, bool text)
{
    int status = req->status ? req->status : 200;
    ssize_t n;

    if (req->begun)
        return req->ended ? -EALREADY : 0;
    if (text)
        choose_coding(req, status);
    n = cg__http_response_head_write(req, status, -1, NULL);
    if (n < 0)
        forget_coding(req);
    else if (req->framing == CG__HTTP_NO_BODY)
        free_encoder(req);
    return n;
}

/* Sends the head of a response without a body, which is all of it. A handler that streams would
 * never learn by a write that its client has left, so it gets the error of that at once. */
static ssize_t write_bare(struct cg_http_request *req, uint64_t size)
{
    ssize_t n = req->carrier->write(req, NULL, 0);

    req->cut |= n < 0;
    return n == 0 && size > 0 ? -EPIPE : n;
}

/* Gives bytes of the body to the carrier. */
static ssize_t write_framed(struct cg_http_request *req, const void *data, size_t size)
{
    ssize_t n;

    if (req->framing == CG__HTTP_NO_BODY)
        return write_bare(req, size);
    if (req->framing == CG__HTTP_LENGTH) {
        if (size > req->left)
            return -EMSGSIZE;
        req->left -= size;
    }
    req->sent += size;
    n = req->carrier->write(req, data, size);
    if (n < 0)
        req->cut = true;
    return n;
}

/* Encodes at most CG__HTTP_TURN bytes, and lets other coroutines run after so many:
 * encoding is slow, and may produce no output whose write would yield. */
static ssize_t encode_part(struct cg_http_request *req, const char *data, size_t size,
                           enum cg__http_encode how)
{
    bool again = true;
    ssize_t n = 0;

    req->computed += size;
    while (again && n >= 0) {
        const char *out;

        n = cg__http_encoder_add(req->encoder, how, &data, &size, &out, &again);
        if (n > 0)
            n = write_framed(req, out, (size_t)n);
    }
    if (n >= 0 && req->computed >= CG__HTTP_TURN) {
        req->computed = 0;
        n = cg_yield(cg_sleep(0));
    }
    return n;
}

static ssize_t encode(struct cg_http_request *req, const char *data, size_t size,
                      enum cg__http_encode how)
{
    ssize_t n = 0;

    for (; size > CG__HTTP_TURN && n >= 0; size -= CG__HTTP_TURN, data += CG__HTTP_TURN)
        n = encode_part(req, data, CG__HTTP_TURN, CG__HTTP_GATHER);
    if (n >= 0)
        n = encode_part(req, data, size, how);
    if (n >= 0 && how == CG__HTTP_FLUSH)
        n = req->carrier->write(req, NULL, 0); /* there may be only the head */
    req->cut |= n < 0;
    return n;
}

ssize_t cg__http_response_write_end(struct cg_http_request *req)
{
    ssize_t n = req->encoder != NULL ? encode(req, "", 0, CG__HTTP_FINISH) : 0;

    req->ended = true;
    if (n >= 0 && req->framing == CG__HTTP_CHUNKED)
        n = req->carrier->end(req);
    else if (n >= 0 && req->framing == CG__HTTP_LENGTH && req->left > 0)
        n = CG_EOF; /* less than Content-Length */
    req->cut |= n < 0 && req->framing != CG__HTTP_NO_BODY; /* whose head is all of it */
    return n;
}

ssize_t cg__http_response_write_piece(struct cg_http_request *req, const void *data,
                                      size_t size, bool more)
{
    ssize_t n = begin(req, true);

    if (n < 0)
        return n;
    if (req->encoder == NULL)
        return write_framed(req, data, size);
    return encode(req, size > 0 ? data : "", size, more ? CG__HTTP_GATHER : CG__HTTP_FLUSH);
}

static ssize_t write_run(struct cg_op *op)
{
    struct cg_http_respond_op *write = (struct cg_http_respond_op *)op;
    ssize_t n = cg__http_response_write_piece(write->req, write->body, write->len,
                                              write->more);

    if (n >= 0 && write->last)
        n = cg__http_response_write_end(write->req);
    if (n >= 0 && write->last)
        n = write->req->carrier->write(write->req, NULL, 0);
    return n < 0 ? n : (ssize_t)write->len;
}

const struct cg_op_type cg_http_write_type = {
    .name = "http_write",
    .run = write_run,
};

/* Sends a part of a file into a compressed body. */
static ssize_t encode_file(struct cg_http_request *req, int file, int64_t offset,
                           uint64_t size)
{
    char buf[4096];
    ssize_t n = 0;

    while (size > 0 && n >= 0) {
        n = pread(file, buf, size < sizeof buf ? (size_t)size : sizeof buf, offset);
        if (n <= 0) {
            req->cut = true;
            return n < 0 ? -errno : CG_EOF;
        }
        offset += n;
        size -= (uint64_t)n;
        n = encode(req, buf, (size_t)n, size > 0 ? CG__HTTP_GATHER : CG__HTTP_FLUSH);
    }
    return n < 0 ? n : 0;
}

static ssize_t send_file_run(struct cg_op *op)
{
    struct cg_http_send_file_op *send = (struct cg_http_send_file_op *)op;
    struct cg_http_request *req = send->req;
    ssize_t n = begin(req, false);

    if (n < 0)
        return n;
    if (req->encoder != NULL)
        return encode_file(req, send->file, send->offset, send->len);
    if (req->framing == CG__HTTP_LENGTH && send->len > req->left)
        return -EMSGSIZE;
    if (req->framing == CG__HTTP_NO_BODY)
        return write_bare(req, send->len);
    if (send->len == 0)
        return req->carrier->write(req, NULL, 0);
    req->left -= req->framing == CG__HTTP_LENGTH ? send->len : 0;
    n = req->carrier->send_file(req, send->file, send->offset, send->len);
    if (n < 0) {
        req->cut = true;
        return n;
    }
    req->sent += send->len;
    return 0;
}

const struct cg_op_type cg_http_send_file_type = {
    .name = "http_send_file",
    .run = send_file_run,
};
