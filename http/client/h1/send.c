/* SPDX-License-Identifier: MIT */
/* Sends a request: the head, and a short body with it; other bodies, from memory, a file or a
 * source, in a coroutine of their own. */
#include "config.h"

#include "http/acked.h"
#include "http/client/h1/head.h"
#include "http/client/h1/request.h"
#include "http/client/h1/send.h"
#include "http/client/interim.h"
#include "http/client/source.h"
#include "http/client/wait.h"
#include "http/client/why.h"

#include <cogen/any.h>
#include <cogen/reactor.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 64 * 1024,        /* bytes of memory or a file that are sent at a time */
    SOURCE_PIECE = 16 * 1024, /* bytes that a source is asked for at a time */
    FRAME = 24,               /* room before a chunk, and after it */
};

/* What a failed write means: 1 if the server takes no more, which a response may explain. */
static ssize_t cannot_send(struct cg__sending *sending, ssize_t code)
{
    if (code == -EPIPE || code == -ECONNRESET) {
        sending->broken = code;
        return 1;
    }
    if (code == -ETIMEDOUT && sending->ask->responded)
        return 1;
    if (code == -ETIMEDOUT)
        return cg__http_client_because(sending->why, code,
                                       "the server stopped reading the request");
    return cg__http_client_because(sending->why, code, "sending the request failed: %s",
                                   cg_strerror(code));
}

/* Whether to go on after a write that has moved some bytes, and whose result is n. */
static bool goes_on(const struct cg__sending *sending, struct cg__http_acked *seen, ssize_t n,
                    size_t moved)
{
    return n == -ETIMEDOUT && (cg__http_client_sending_is_patient(sending) ||
                               cg__http_acked_go_on(seen, sending->sock, moved));
}

static int64_t wait_of(const struct cg__sending *sending)
{
    return cg__http_acked_wait(sending->ask->client->options.send_timeout);
}

/* Sends bytes from memory. 0; 1: the server does not take them; negative. */
static ssize_t send_bytes(struct cg__sending *sending, const char *data, size_t size)
{
    struct cg__http_acked seen = {.acked = 0};
    size_t done = 0;

    while (done < size) {
        size_t moved = 0;
        ssize_t n = cg_yield(cg_writeall(sending->sock, data + done, size - done,
                                         .moved = &moved, .weak_timeout = true,
                                         .timeout = wait_of(sending)));

        done += moved;
        if (n < 0 && !goes_on(sending, &seen, n, moved))
            return cannot_send(sending, n);
    }
    return 0;
}

static ssize_t send_memory(struct cg__sending *sending)
{
    struct cg__asking *ask = sending->ask;
    const char *data = ask->fetch->body;
    ssize_t n = 0;

    while (n == 0 && ask->sent < ask->fetch->len) {
        size_t len = ask->fetch->len - ask->sent;

        if (len > PIECE)
            len = PIECE;
        n = send_bytes(sending, data + ask->sent, len);
        ask->sent += len;
    }
    return n;
}

static ssize_t send_file(struct cg__sending *sending)
{
    struct cg__asking *ask = sending->ask;
    const struct cg_http_fetch *fetch = ask->fetch;
    struct cg__http_acked seen = {.acked = 0};

    while (ask->sent < fetch->len) {
        size_t len = fetch->len - ask->sent, moved = 0;
        ssize_t n;

        if (len > PIECE)
            len = PIECE;
        n = cg_yield(cg_sendfile(sending->sock, *fetch->file,
                                 fetch->offset + (int64_t)ask->sent, len, .moved = &moved,
                                 .weak_timeout = true, .timeout = wait_of(sending)));
        ask->sent += moved;
        if (n < 0 && !goes_on(sending, &seen, n, moved))
            return cannot_send(sending, n);
        if (n >= 0 && moved < len)
            return cg__http_client_because(sending->why, -EIO,
                                           "the file is shorter than announced");
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
static ssize_t send_end(struct cg__sending *sending, const struct cg_http_headers *trailers)
{
    struct cg_http_headers text = {.data = NULL};
    struct cg_http_field field;
    size_t at = 0;
    ssize_t n = cg__http_message_text(&text, "0\r\n", 3);

    while (n == 0 && trailers && cg_http_headers_next(trailers, &at, &field))
        if (!cg__http_message_is_framing(field.name, strlen(field.name)))
            n = cg__http_client_h1_request_field(&text, field.name, strlen(field.name),
                                                 field.value, strlen(field.value));
    if (n == 0)
        n = cg__http_message_text(&text, "\r\n", 2);
    if (n == 0)
        n = send_bytes(sending, text.data, text.used);
    cg__http_message_clear(&text);
    return n;
}

static ssize_t send_source(struct cg__sending *sending)
{
    struct cg__asking *ask = sending->ask;
    const struct cg_http_source *source = ask->fetch->source;
    bool chunked = source->len < 0, last = false;
    char *buf = malloc(SOURCE_PIECE + 2 * FRAME), *begin;
    ssize_t n = buf ? 0 : -ENOMEM;

    while (n == 0 && !last) {
        ssize_t len = cg__http_client_source_read(ask, buf + FRAME, SOURCE_PIECE, &last,
                                                  sending->why);

        ask->sent += len > 0 ? (uint64_t)len : 0;
        if (len > 0) {
            size_t framed = frame(buf, (size_t)len, chunked, &begin);

            n = send_bytes(sending, begin, framed);
        }
        if (len < 0)
            n = len;
        if (n == 0 && last && chunked)
            n = send_end(sending, source->trailers);
    }
    free(buf);
    return n;
}

ssize_t cg__http_client_h1_send_body(struct cg__sending *sending)
{
    const struct cg_http_fetch *fetch = sending->ask->fetch;

    return fetch->source ? send_source(sending)
           : fetch->file ? send_file(sending)
                         : send_memory(sending);
}

ssize_t cg__http_client_h1_send_listen(struct cg__sending *sending)
{
    struct cg_op *over = cg_wait_event(&sending->over, .timeout = CG_NEVER),
                 *poll = cg_poll_sock(sending->sock, CG_IN, .timeout = CG_NEVER);

    return cg_yield(cg_any((over, poll)));
}

/* Reads a response that comes before the body is sent. */
static ssize_t hear(struct cg__asking *ask)
{
    ssize_t n = cg__http_client_h1_head_read(
        ask->reply, ask->method, ask->client->options.response_timeout, ask->why);

    return n < 0 ? n : cg__http_client_interim(ask);
}

/* Waits for 100 Continue. 0: send the body (servers that do not know Expect send nothing
 * within expect_timeout); 1: the final response has come; negative. */
static ssize_t ask_first(struct cg__link *link, struct cg__asking *ask)
{
    int64_t end = cg__http_client_wait_end(ask->client, ask->client->options.expect_timeout);
    ssize_t n;

    do {
        n = cg_yield(
            cg_poll_sock(link->sock, CG_IN, .timeout = CG_NEVER, .deadline = end));
        if (n == -ETIMEDOUT)
            return 0;
        if (n >= 0)
            n = hear(ask);
        if (n == 0 && !cg__http_client_is_interim(ask->reply))
            return 1;
    } while (n == 0 && ask->reply->head.status != 100);
    return n;
}

static bool fits_with_head(const struct cg__asking *ask)
{
    return ask->with_body && !ask->expect && !cg__http_client_sending_wants(ask);
}

/* Sends the head, and a short body with it. The head is composed in the memory of the response's
 * fields, which are not there yet. */
static ssize_t send_head(struct cg__link *link, struct cg__asking *ask)
{
    struct cg_http_headers *text = &ask->reply->headers;
    int64_t timeout = ask->client->options.send_timeout;
    ssize_t n;

    cg__http_message_reset(text, SIZE_MAX);
    n = cg__http_client_h1_request_put(text, ask, link->to_proxy);
    if (n == 0) {
        struct iovec iov[2] = {{text->data, text->used}};

        if (fits_with_head(ask)) {
            iov[1] = (struct iovec){(void *)ask->fetch->body, ask->fetch->len};
            ask->sent = ask->fetch->len;
        }
        n = cg_yield(iov[1].iov_len > 0
                         ? cg_writev(link->sock, iov, 2, .weak_timeout = true,
                                     .timeout = timeout)
                         : cg_writeall(link->sock, text->data, text->used,
                                       .weak_timeout = true, .timeout = timeout));
        if (n == -EPIPE || n == -ECONNRESET)
            ask->broken = n;
        else if (n == -ETIMEDOUT)
            cg__http_client_because(ask->why, n, "the server stopped reading the request");
        else if (n < 0)
            cg__http_client_because(ask->why, n, "sending the request failed: %s",
                                    cg_strerror(n));
        ask->unsent = n < 0;
    }
    cg__http_message_reset(text, SIZE_MAX);
    return n < 0 && ask->broken == 0 ? n : 0;
}

ssize_t cg__http_client_h1_send(struct cg__link *link, struct cg__asking *ask)
{
    ssize_t n = send_head(link, ask);

    if (n < 0 || ask->broken < 0 || !ask->with_body || fits_with_head(ask))
        return n;
    ask->unsent = true;
    if (ask->expect)
        n = ask_first(link, ask);
    ask->responded = n == 1;
    if (n == 0)
        n = cg__http_client_sending_begin(ask, link);
    return n < 0 ? n : 0;
}
