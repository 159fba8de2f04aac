/* SPDX-License-Identifier: MIT */
/* Sends a request: the head, then the body from memory, a file or a source. If the final
 * response comes while the body is being sent, the rest is not sent. */
#include "config.h"

#include "http/acked.h"
#include "http/client/client_head.h"
#include "http/client/client_request.h"
#include "http/client/client_send.h"
#include "http/client/client_source.h"
#include "http/client/client_why.h"

#include <cogen/any.h>
#include <cogen/reactor.h>

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TOGETHER = 16 * 1024,     /* a body up to this is sent with the head */
    PIECE = 64 * 1024,        /* bytes of memory or a file that are sent at a time */
    SOURCE_PIECE = 16 * 1024, /* bytes that a source is asked for at a time */
    FRAME = 24,               /* room before a chunk, and after it */
};

/* Reads a response that comes before the body has been sent. If it is final, the sending
 * ends. */
static ssize_t hear(struct cg__asking *ask)
{
    ssize_t n = cg__http_client_head_read(
        ask->reply, ask->method, ask->client->options.response_timeout, ask->why);

    return n < 0 ? n : cg__http_client_head_interim(ask);
}

/* Sends a piece with the operation `write`, and polls for a response at the same time. 0;
 * 1: a response is coming, and the piece may have been sent in part; negative. */
static ssize_t send_and_listen(struct cg__link *link, struct cg_op *write)
{
    struct cg_op *poll = cg_poll_sock(link->sock, CG_IN, .timeout = CG_NEVER);
    ssize_t n = cg_yield(cg_any((write, poll)));

    if (n == 1)
        return 1;
    return n < 0 ? n : cg_op_result(write) < 0 ? cg_op_result(write) : 0;
}

/* Sends bytes from memory. 0; 1: the final response has come; negative. */
static ssize_t send_bytes(struct cg__link *link, struct cg__asking *ask,
                          const char *data, size_t size)
{
    int64_t wait = cg__http_acked_wait(ask->client->options.send_timeout);
    struct cg__http_acked seen = {.acked = 0};
    size_t done = 0;
    ssize_t n = 0;

    while (n == 0 && done < size) {
        size_t moved = 0;

        n = send_and_listen(link,
                            cg_writeall(link->sock, data + done, size - done,
                                        .moved = &moved, .weak_timeout = true,
                                        .timeout = wait));
        done += moved;
        if (n == -ETIMEDOUT && cg__http_acked_go_on(&seen, link->sock, moved))
            n = 0;
        if (n == 1 && (n = hear(ask)) == 0 &&
            !cg__http_client_head_is_interim(ask->reply))
            return 1;
    }
    return n;
}

static ssize_t send_memory(struct cg__link *link, struct cg__asking *ask)
{
    const char *data = ask->fetch->body;
    ssize_t n = 0;

    while (n == 0 && ask->sent < ask->fetch->len) {
        size_t len = ask->fetch->len - ask->sent;

        if (len > PIECE)
            len = PIECE;
        n = send_bytes(link, ask, data + ask->sent, len);
        ask->sent += len;
    }
    return n;
}

static ssize_t send_file(struct cg__link *link, struct cg__asking *ask)
{
    const struct cg_http_fetch *fetch = ask->fetch;
    int64_t wait = cg__http_acked_wait(ask->client->options.send_timeout);
    struct cg__http_acked seen = {.acked = 0};

    while (ask->sent < fetch->len) {
        size_t len = fetch->len - ask->sent, moved = 0;
        struct cg_op *write;
        ssize_t n;

        if (len > PIECE)
            len = PIECE;
        write =
            cg_sendfile(link->sock, *fetch->file, fetch->offset + (int64_t)ask->sent,
                        len, .moved = &moved, .weak_timeout = true, .timeout = wait);
        n = send_and_listen(link, write);
        ask->sent += moved;
        if (n == -ETIMEDOUT && cg__http_acked_go_on(&seen, link->sock, moved))
            continue;
        if (n == 0 && moved < len)
            return cg__http_client_because(ask->why, -EIO,
                                           "the file is shorter than announced");
        if (n == 1 && (n = hear(ask)) == 0 &&
            !cg__http_client_head_is_interim(ask->reply))
            return 1;
        if (n < 0)
            return n;
    }
    return 0;
}

/* Frames a piece of a source; stores where the framed bytes begin and returns their
 * length. */
static size_t frame(char *buf, size_t size, bool chunked, char **begin)
{
    char head[FRAME];
    int len;

    *begin = buf + FRAME;
    if (!chunked)
        return size;
    len = snprintf(head, sizeof head, "%zx\r\n", size);
    *begin -= len;
    memcpy(*begin, head, (size_t)len);
    memcpy(buf + FRAME + size, "\r\n", 2);
    return (size_t)len + size + 2;
}

/* The last chunk, and the trailers behind it. */
static ssize_t send_end(struct cg__link *link, struct cg__asking *ask,
                        const struct cg_http_headers *trailers)
{
    struct cg_http_headers text = {.data = NULL};
    struct cg_http_field field;
    size_t at = 0;
    ssize_t n = cg__http_message_text(&text, "0\r\n", 3);

    while (n == 0 && trailers && cg_http_headers_next(trailers, &at, &field))
        if (!cg__http_message_is_framing(field.name, strlen(field.name)))
            n = cg__http_client_request_field(&text, field.name, strlen(field.name),
                                              field.value, strlen(field.value));
    if (n == 0)
        n = cg__http_message_text(&text, "\r\n", 2);
    if (n == 0)
        n = send_bytes(link, ask, text.data, text.used);
    cg__http_message_clear(&text);
    return n;
}

struct reading {
    struct cg__asking *ask;
    char *buf;
    bool last;
};

static ssize_t read_source(void *arg)
{
    struct reading *reading = arg;

    return cg__http_client_source_read(reading->ask, reading->buf, SOURCE_PIECE,
                                       &reading->last);
}

/* Reads a piece of the source. If it is traceless, also polls for a response: *comes, and then
 * nothing was read. */
static ssize_t read_and_listen(struct cg__link *link, struct reading *reading, bool *comes)
{
    struct cg_op *read = cg_call(read_source, reading),
                 *poll = cg_poll_sock(link->sock, CG_IN, .timeout = CG_NEVER);
    ssize_t n;

    *comes = false;
    if (!reading->ask->fetch->source->traceless)
        return read_source(reading);
    n = cg_yield(cg_any((read, poll)));
    if (n < 0)
        return n;
    *comes = n == 1 && cg_op_result(read) == -ECANCELED;
    return cg_op_result(read);
}

static ssize_t send_source(struct cg__link *link, struct cg__asking *ask)
{
    const struct cg_http_source *source = ask->fetch->source;
    bool chunked = source->len < 0, comes;
    char *buf = malloc(SOURCE_PIECE + 2 * FRAME), *begin;
    struct reading reading = {.ask = ask, .buf = buf + FRAME};
    ssize_t n = buf ? 0 : -ENOMEM;

    while (n == 0 && !reading.last) {
        ssize_t len = read_and_listen(link, &reading, &comes);

        if (comes) {
            ask->why[0] = '\0';
            n = hear(ask);
            if (n == 0 && !cg__http_client_head_is_interim(ask->reply))
                n = 1;
            continue;
        }
        if (len < 0)
            n = len;
        ask->sent += len > 0 ? (uint64_t)len : 0;
        if (len > 0) {
            size_t framed = frame(buf, (size_t)len, chunked, &begin);

            n = send_bytes(link, ask, begin, framed);
        }
        if (n == 0 && reading.last && chunked)
            n = send_end(link, ask, source->trailers);
    }
    free(buf);
    return n;
}

static ssize_t send_body(struct cg__link *link, struct cg__asking *ask)
{
    return ask->fetch->source ? send_source(link, ask)
           : ask->fetch->file ? send_file(link, ask)
                              : send_memory(link, ask);
}

/* Waits for 100 Continue. 0: send the body (servers that do not know Expect send nothing
 * within expect_timeout); 1: the final response has come; negative. */
static ssize_t ask_first(struct cg__link *link, struct cg__asking *ask)
{
    int64_t end, now = cg_sched_now(ask->client->sched),
                 length = ask->client->options.expect_timeout;
    ssize_t n;

    end = length < CG_NEVER - now ? now + length : CG_NEVER;
    do {
        n = cg_yield(
            cg_poll_sock(link->sock, CG_IN, .timeout = CG_NEVER, .deadline = end));
        if (n == -ETIMEDOUT)
            return 0;
        if (n >= 0)
            n = hear(ask);
        if (n == 0 && !cg__http_client_head_is_interim(ask->reply))
            return 1;
    } while (n == 0 && ask->reply->head.status != 100);
    return n;
}

static bool is_broken(ssize_t code)
{
    return code == -EPIPE || code == -ECONNRESET;
}

static ssize_t cannot_send(const struct cg__asking *ask, ssize_t code)
{
    if (code == -ETIMEDOUT)
        return cg__http_client_because(ask->why, code,
                                       "the server stopped reading the request");
    return cg__http_client_because(ask->why, code, "sending the request failed: %s",
                                   cg_strerror(code));
}

static bool fits_with_head(const struct cg__asking *ask)
{
    return ask->with_body && !ask->expect && ask->fetch->source == NULL &&
           ask->fetch->file == NULL && ask->fetch->len <= TOGETHER;
}

ssize_t cg__http_client_send(struct cg__link *link, struct cg__asking *ask,
                             ssize_t *broken)
{
    struct cg_http_headers text = {.data = NULL};
    struct iovec iov[2] = {{.iov_base = NULL}};
    ssize_t n = cg__http_client_request_put(&text, ask, link->to_proxy);

    *broken = 0;
    ask->sent = 0;
    ask->responded = false;
    if (n < 0) {
        cg__http_message_clear(&text);
        return n;
    }
    iov[0] = (struct iovec){text.data, text.used};
    if (fits_with_head(ask)) {
        iov[1] = (struct iovec){(void *)ask->fetch->body, ask->fetch->len};
        ask->sent = ask->fetch->len;
    }
    n = cg_yield(cg_writev(link->sock, iov, iov[1].iov_len > 0 ? 2 : 1, .weak_timeout = true,
                           .timeout = ask->client->options.send_timeout));
    cg__http_message_clear(&text);
    if (n >= 0)
        n = 0;
    if (n == 0 && ask->with_body && !fits_with_head(ask)) {
        ask->why[0] = '\0';
        if (ask->expect)
            n = ask_first(link, ask);
        if (n == 0)
            n = send_body(link, ask);
    }
    ask->responded = n == 1;
    link->spoiled = n != 0; /* the body has not been sent completely */
    if (n == 1)
        return 0;
    if (is_broken(n) && !ask->reply->touched) {
        *broken = n;
        cannot_send(ask, n);
        return 0;
    }
    if (n < 0 && ask->why[0] == '\0')
        cannot_send(ask, n);
    return n;
}
