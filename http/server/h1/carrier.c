/* SPDX-License-Identifier: MIT */
/* HTTP/1 as a carrier: small responses are laid out in the connection's output, pieces of
 * bodies are framed and written. */
#include "config.h"

#include "http/acked.h"
#include "http/server/h1/body.h"
#include "http/server/h1/carrier.h"
#include "http/server/h1/head.h"
#include "http/server/output.h"
#include "http/server/h1/view.h"
#include "http/server/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

static char *place(struct cg_http_request *req, size_t len)
{
    return cg__http_output_room(req->conn, len);
}

static void put(struct cg_http_request *req, size_t len)
{
    req->conn->out->used += len;
}

static ssize_t write_body(struct cg_http_request *req, const void *data, size_t len)
{
    char head[CG__HTTP_CHUNK_HEAD];
    struct iovec parts[3];
    int count = 0;

    if (len > 0) {
        bool chunked = req->framing == CG__HTTP_CHUNKED;

        if (chunked)
            parts[count++] =
                (struct iovec){head, cg__http_framing_chunk_head(head, len)};
        parts[count++] = (struct iovec){(void *)data, len};
        if (chunked)
            parts[count++] = (struct iovec){(void *)"\r\n", 2};
    }
    return count == 0 ? cg__http_output_flush(req->conn)
                      : cg__http_output_write(req->conn, parts, count, false);
}

/* Sends a part of a file without framing. */
static ssize_t send_part(struct cg_http_request *req, int file, int64_t offset,
                         uint64_t size)
{
    int64_t wait = req->server->write_wait;
    struct cg__http_acked seen = {.acked = 0};
    struct cg_sock *sock = req->conn->sock;
    uint64_t done = 0;
    size_t moved;
    ssize_t n;

    do {
        n = cg_yield(cg_sendfile(sock, file, offset + (int64_t)done,
                                 (size_t)(size - done), .moved = &moved,
                                 .timeout = wait, .weak_timeout = true));
        done += moved;
    } while (n == -ETIMEDOUT && cg__http_acked_go_on(&seen, sock, moved));
    cg__http_output_wrote(req->conn, n);
    return n >= 0 && done < size ? CG_EOF : n;
}

/* The head is kept back until the file follows, for files up to this. With its head in a packet of
 * its own, a file takes a tenth more CPU time over loopback, where a packet has 64 KiB. With more
 * than two packets the kernel takes longer over a head that is kept back: the receiver's window is
 * full sooner, and a receiver that sleeps is woken more often. */
enum { TOGETHER = 120 * 1024 };

static ssize_t send_file(struct cg_http_request *req, int file, int64_t offset,
                         uint64_t len)
{
    bool chunked = req->framing == CG__HTTP_CHUNKED;
    char head[CG__HTTP_CHUNK_HEAD];
    struct iovec part = {head, 0};
    ssize_t n;

    if (chunked)
        part.iov_len = cg__http_framing_chunk_head(head, len);
    n = cg__http_output_write(req->conn, &part, 1, len <= TOGETHER);
    if (n >= 0)
        n = send_part(req, file, offset, len);
    if (n >= 0 && chunked)
        n = cg__http_output_write(req->conn, &(struct iovec){(void *)"\r\n", 2}, 1, false);
    return n < 0 ? n : 0;
}

/* Ends a body in chunks. */
static ssize_t end(struct cg_http_request *req)
{
    size_t size = 8 + req->out_trailers.used + 4 * req->out_trailers.count;
    char *to = size > CG__HTTP_OUT_SIZE ? NULL : cg__http_output_room(req->conn, size),
         *start = to;

    if (to == NULL) {
        ssize_t n = cg__http_output_flush(req->conn);

        if (n < 0 || size > CG__HTTP_OUT_SIZE)
            return n < 0 ? n : -EMSGSIZE;
        start = to = cg__http_output_room(req->conn, size);
        if (to == NULL)
            return -ENOMEM;
    }
    to = CG__HTTP_H1_PUT(to, "0\r\n");
    to = cg__http_h1_fields(to, &req->out_trailers);
    to = CG__HTTP_H1_PUT(to, "\r\n");
    req->conn->out->used += (size_t)(to - start);
    return 0;
}

enum {
    LINE = 64
}; /* room for the status line and the empty line at the end */

static size_t put_interim(char *text, int status, const struct cg_http_field *field)
{
    const char *reason = cg_http_status_text(status);
    char *to = text;

    to += snprintf(to, LINE, "HTTP/1.1 %d %.32s\r\n", status, reason);
    for (; field != NULL && field->name != NULL; field++)
        to += sprintf(to, "%s: %s\r\n", field->name, field->value);
    memcpy(to, "\r\n", 2);
    return (size_t)(to - text) + 2;
}

/* HTTP/1.0 has no interim responses. */
static ssize_t interim(struct cg_http_request *req, int status,
                       const struct cg_http_field *fields, size_t len)
{
    char *text;
    ssize_t n;

    if (req->minor == 0)
        return 0;
    text = malloc(LINE + len);
    if (text == NULL)
        return -ENOMEM;
    n = cg__http_output_write(
        req->conn, &(struct iovec){text, put_interim(text, status, fields)}, 1, false);
    free(text);
    req->cut |= n < 0; /* a part of it may have been sent */
    return n;
}

static ssize_t give(struct cg_http_request *req, struct cg_sock **sock)
{
    const char *peer;
    ssize_t n = cg__http_output_flush(req->conn);

    if (n < 0)
        return n;
    if (req->server->options.access_log != NULL)
        cg__http_peer_find(req->conn, &peer); /* as long as there is a socket to ask */
    cg__http_h1_view_release(cg__http_h1_of(req));
    *sock = req->conn->sock;
    req->conn->sock = NULL;
    return 0;
}

static const struct cg_op_type *left(struct cg_http_request *req,
                                     struct cg_http_wait_left_op *wait)
{
    wait->gone.sock = req->conn->sock;
    return &cg_wait_gone_type;
}

static bool is_lost(const struct cg_http_request *req)
{
    return req->conn->sock == NULL || req->conn->broken;
}

const struct cg__http_carrier cg__http_h1_carrier = {
    .room = cg__http_h1_room,
    .head = cg__http_h1_head,
    .place = place,
    .put = put,
    .write = write_body,
    .send_file = send_file,
    .end = end,
    .interim = interim,
    .more = cg__http_h1_body_more,
    .sock = cg__http_h1_body_sock,
    .give = give,
    .left = left,
    .is_lost = is_lost,
    .protocols = {"HTTP/1.0", "HTTP/1.1"},
};
