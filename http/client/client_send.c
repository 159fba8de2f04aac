/* SPDX-License-Identifier: MIT */
/* Sends a request: the head, then the body from memory, a file or a source. If the final
 * response comes while the body is being sent, the rest is not sent. */
#include "config.h"

#include "http/acked.h"
#include "http/client/client_head.h"
#include "http/client/client_send.h"
#include "http/client/client_why.h"
#include "http/coding/decoder.h"
#include "lib/base/ascii.h"

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

/* The head is composed in the memory of a list of fields, which grows as needed. */
static int put(struct cg_http_headers *text, const char *piece)
{
    return cg__http_message_text(text, piece, strlen(piece));
}

static int put_field(struct cg_http_headers *text, const char *name, const char *value)
{
    return put(text, name) < 0 || put(text, ": ") < 0 || put(text, value) < 0 ||
                   put(text, "\r\n") < 0
               ? -ENOMEM
               : 0;
}

char *cg__http_client_send_basic(const char *user)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(user);
    char *text = malloc(sizeof "Basic " + (len + 2) / 3 * 4), *to;

    if (text == NULL)
        return NULL;
    to = stpcpy(text, "Basic ");
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = (uint32_t)(unsigned char)user[i] << 16;

        bits |= i + 1 < len ? (uint32_t)(unsigned char)user[i + 1] << 8 : 0;
        bits |= i + 2 < len ? (uint32_t)(unsigned char)user[i + 2] : 0;
        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        *to++ = i + 1 < len ? digits[bits >> 6 & 63] : '=';
        *to++ = i + 2 < len ? digits[bits & 63] : '=';
    }
    *to = '\0';
    return text;
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && !cg__ascii_equal(*names, name))
        names++;
    return *names != NULL;
}

/* Whether a field of the caller is sent: not if it is private and a redirect has led to
 * another host, or if it describes a body that a redirect has dropped. */
static bool goes_along(const struct cg__asking *ask, const char *name, bool to_proxy)
{
    static const char *const private[] = {
        "Authorization", "Cookie", "Cookie2", "Host", "Proxy-Authorization", NULL};
    static const char *const of_body[] = {"Content-Type",        "Content-Encoding",
                                          "Content-Language",    "Content-Location",
                                          "Content-Disposition", NULL};

    if (ask->foreign && is_one_of(name, private))
        return false;
    if (cg__ascii_equal(name, "Proxy-Authorization") && !to_proxy)
        return false;
    return ask->with_body || ask->redirects == 0 || !is_one_of(name, of_body);
}

static bool has_own(const struct cg__asking *ask, const char *name, bool to_proxy)
{
    const struct cg_http_field *field = ask->fetch->fields;

    for (; field != NULL && field->name != NULL; field++)
        if (cg__ascii_equal(field->name, name) && goes_along(ask, name, to_proxy))
            return true;
    return false;
}

static int put_own(struct cg_http_headers *text, const struct cg__asking *ask,
                   bool to_proxy)
{
    const struct cg_http_field *field = ask->fetch->fields;
    int rc = 0;

    for (; rc == 0 && field != NULL && field->name != NULL; field++)
        if (goes_along(ask, field->name, to_proxy))
            rc = put_field(text, field->name, field->value);
    return rc;
}

static int put_auth(struct cg_http_headers *text, const struct cg__asking *ask)
{
    const struct cg_http_fetch *fetch = ask->fetch;
    const char *user = fetch->basic ? fetch->basic : ask->url.user;
    char *basic;
    int rc;

    if (ask->foreign)
        return 0;
    if (fetch->bearer != NULL)
        return put(text, "Authorization: Bearer ") < 0 || put(text, fetch->bearer) < 0
                   ? -ENOMEM
                   : put(text, "\r\n");
    if (user == NULL)
        return 0;
    basic = cg__http_client_send_basic(user);
    rc = basic ? put_field(text, "Authorization", basic) : -ENOMEM;
    free(basic);
    return rc;
}

/* The framing of the body. Methods that usually have a body send a length of 0 if there is
 * none. */
static int put_framing(struct cg_http_headers *text, const struct cg__asking *ask)
{
    const struct cg_http_source *source = ask->fetch->source;
    char number[24];

    if (!ask->with_body) {
        bool usual = !strcmp(ask->method, "POST") || !strcmp(ask->method, "PUT") ||
                     !strcmp(ask->method, "PATCH");

        return usual ? put_field(text, "Content-Length", "0") : 0;
    }
    if (source != NULL && source->len < 0)
        return put_field(text, "Transfer-Encoding", "chunked");
    snprintf(number, sizeof number, "%" PRIu64,
             source ? (uint64_t)source->len : (uint64_t)ask->fetch->len);
    return put_field(text, "Content-Length", number);
}

/* The target: the path, or the whole URL for a proxy. OPTIONS of a URL without a path is
 * about the server itself (RFC 9112, 3.2.4): its target is "*". A proxy gets the URL
 * without a path, and the last proxy replaces that by "*". */
static int put_target(struct cg_http_headers *text, const struct cg__asking *ask, bool to_proxy)
{
    const struct cg__url *url = &ask->url;
    bool server = url->no_path && strcmp(ask->method, "OPTIONS") == 0;

    if (!to_proxy)
        return put(text, server ? "*" : url->target);
    return cg__http_message_text(text, url->text, strlen(url->text) - (server ? 1 : 0));
}

static int put_head(struct cg_http_headers *text, const struct cg__asking *ask,
                    bool to_proxy)
{
    const struct cg_http_client *client = ask->client;
    bool bare = ask->fetch->bare;
    bool raw = ask->fetch->raw || bare || has_own(ask, "Range", to_proxy);
    const struct {
        const char *name, *value;
    } ours[] = {
        {"Host", ask->url.hostport},
        {"User-Agent", bare ? "" : client->user_agent},
        {"Accept", bare ? "" : "*/*"},
        {"Accept-Encoding", raw ? "" : cg__http_decoder_accept()},
        {"Proxy-Authorization", to_proxy && ask->proxy_auth ? ask->proxy_auth : ""},
        {"Connection", client->pool.keep == 0 ? "close" : ""},
        {"Expect", ask->expect ? "100-continue" : ""},
    };

    if (put(text, ask->method) < 0 || put(text, " ") < 0 ||
        put_target(text, ask, to_proxy) < 0 ||
        put(text, " HTTP/1.1\r\n") < 0)
        return -ENOMEM;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (*ours[i].value && !has_own(ask, ours[i].name, to_proxy) &&
            put_field(text, ours[i].name, ours[i].value) < 0)
            return -ENOMEM;
    if (!has_own(ask, "Authorization", to_proxy) && put_auth(text, ask) < 0)
        return -ENOMEM;
    if (put_own(text, ask, to_proxy) < 0 || put_framing(text, ask) < 0)
        return -ENOMEM;
    return put(text, "\r\n");
}

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
    ssize_t n = put(&text, "0\r\n");

    while (n == 0 && trailers && cg_http_headers_next(trailers, &at, &field))
        if (!cg__http_message_is_framing(field.name, strlen(field.name)))
            n = put_field(&text, field.name, field.value);
    if (n == 0)
        n = put(&text, "\r\n");
    if (n == 0)
        n = send_bytes(link, ask, text.data, text.used);
    cg__http_message_clear(&text);
    return n;
}

static ssize_t send_source(struct cg__link *link, struct cg__asking *ask)
{
    const struct cg_http_source *source = ask->fetch->source;
    bool chunked = source->len < 0;
    char *buf = malloc(SOURCE_PIECE + 2 * FRAME), *begin;
    ssize_t n = buf ? 0 : -ENOMEM;

    ask->begun = true;
    while (n == 0) {
        ssize_t len = source->read(source->arg, buf + FRAME, SOURCE_PIECE);

        if (len < 0) {
            n = cg__http_client_because(ask->why, len, "the source of the body: %s",
                                        cg_strerror(len));
        } else if (!chunked && (uint64_t)len > (uint64_t)source->len - ask->sent) {
            n = cg__http_client_because(ask->why, -EIO,
                                        "the source of the body has more than announced");
        } else if (len == 0 && !chunked && ask->sent < (uint64_t)source->len) {
            n = cg__http_client_because(ask->why, -EIO,
                                        "the source of the body has less than announced");
        } else if (len == 0 && chunked) {
            n = send_end(link, ask, source->trailers);
        } else if (len > 0) {
            ask->sent += (uint64_t)len;
            size_t framed = frame(buf, (size_t)len, chunked, &begin);

            n = send_bytes(link, ask, begin, framed);
        }
        if (len <= 0 || (!chunked && ask->sent == (uint64_t)source->len))
            break;
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
    } while (n == 0 && ask->reply->parser.status != 100);
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
    ssize_t n = put_head(&text, ask, link->to_proxy);

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
    n = cg_yield(cg_writev(link->sock, iov, 2, .weak_timeout = true,
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
