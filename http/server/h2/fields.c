/* SPDX-License-Identifier: MIT */
/* See fields.h. */
#include "config.h"

#include "http/message/url.h"
#include "http/server/h2/budget.h"
#include "http/server/h2/fields.h"
#include "http/server/route.h"
#include "lib/base/ascii.h"

#include <stdlib.h>
#include <string.h>

enum {
    OVERHEAD = 32, /* what a field counts beside its texts (RFC 9113, 6.5.2) */
    USUAL = 16,    /* fields that a response may have without further memory */
};

static void refuse(struct cg__http_h2_stream *stream, int status)
{
    if (stream->refused == 0)
        stream->refused = status;
}

/* The size is a constant, so that no function is called to compare. */
#define IS(name, len, other)                                                           \
    ((len) == sizeof(other) - 1 && memcmp(name, other, sizeof(other) - 1) == 0)

/* Appends a field, which nghttp2 has checked, to a list. False: no memory. */
static bool push(struct cg_http_headers *list, const char *name, size_t name_len,
                 const char *value, size_t value_len)
{
    return cg__http_message_put(list, name, name_len, value, value_len) == 0;
}

static bool push_host(struct cg__http_h2_stream *stream, const char *value, size_t len)
{
    if (!cg__http_url_is_host(value, len))
        refuse(stream, 400);
    return push(&stream->message.in, "host", 4, value, len);
}

static void set_method(struct cg_http_request *req, const char *value, size_t len)
{
    int code = cg__http_route_code(value, len);

    if (code < 0) {
        refuse(cg__http_h2_of(req), 501);
        return;
    }
    req->code = (uint8_t)code;
    req->method = llhttp_method_name((llhttp_method_t)code);
}

/* The target is :path, or :authority of CONNECT. Blanks and control characters would be read
 * otherwise by whoever gets it in HTTP/1. A fragment belongs in no target. nghttp2 ends all values
 * with a NUL. */
static void set_target(struct cg_http_request *req, const char *value, size_t len)
{
    for (size_t i = cg__ascii_visible(value, len, '#'); i < len; i++)
        if ((unsigned char)value[i] <= ' ' || value[i] == 0x7f || value[i] == '#') {
            refuse(cg__http_h2_of(req), 400);
            return;
        }
    if (len > req->server->options.target_limit) {
        refuse(cg__http_h2_of(req), 414);
        return;
    }
    req->line.used = 0;
    req->text = 0;
    req->text_len = (uint32_t)len;
    if (cg__http_message_text(&req->line, value, len + 1) < 0)
        refuse(cg__http_h2_of(req), 503);
}

static void add_pseudo(struct cg_http_request *req, const uint8_t *name,
                       size_t name_len, const char *value, size_t len)
{
    if (IS(name, name_len, ":method")) {
        set_method(req, value, len);
    } else if (IS(name, name_len, ":path")) {
        set_target(req, value, len);
    } else if (IS(name, name_len, ":protocol")) {
        cg__http_h2_of(req)->connects = true;
        if (!push(&req->in, "upgrade", 7, value, len))
            refuse(cg__http_h2_of(req), 503);
    } else if (IS(name, name_len, ":scheme")) {
        req->scheme = len == 4 && memcmp(value, "http", 4) == 0    ? "http"
                      : len == 5 && memcmp(value, "https", 5) == 0 ? "https"
                                                                   : NULL;
    } else if (IS(name, name_len, ":authority")) {
        if (!push_host(cg__http_h2_of(req), value, len))
            refuse(cg__http_h2_of(req), 503);
        if (req->line.used == 0)
            set_target(req, value, len);
    }
}

/* A client may send Cookie in several fields, for the sake of compression; a handler sees
 * one (RFC 9113, 8.2.3). */
static bool add_cookie(struct cg__http_h2_stream *stream, const char *value, size_t len)
{
    struct cg_http_headers *list = &stream->cookies;

    return cg__http_message_text(list, "; ", list->used > 0 ? 2 : 0) == 0 &&
           cg__http_message_text(list, value, len) == 0;
}

static bool add_field(struct cg__http_h2_stream *stream, const uint8_t *name,
                      size_t name_len, const char *value, size_t len)
{
    struct cg_http_headers *in = &stream->message.in;

    if (IS(name, name_len, "cookie"))
        return add_cookie(stream, value, len);
    if (IS(name, name_len, "host")) {
        const char *host = cg_http_headers_get(in, "host");

        if (host == NULL)
            return push_host(stream, value, len);
        if (strlen(host) != len || memcmp(host, value, len) != 0)
            refuse(stream, 400); /* which of them is meant would be a guess */
        return true;
    }
    return push(in, (const char *)name, name_len, value, len);
}

bool cg__http_h2_fields_add(struct cg__http_h2_stream *stream, const uint8_t *name,
                            size_t name_len, const uint8_t *value, size_t value_len)
{
    struct cg_http_request *req = &stream->message;
    const struct cg_http_server_options *options = &req->server->options;
    bool added = true;

    stream->fields++;
    stream->fields_len += name_len + value_len + OVERHEAD;
    if (stream->fields > options->headers_count ||
        stream->fields_len > (size_t)options->headers_limit + options->target_limit) {
        refuse(stream, 431);
        cg__http_h2_budget_charge(stream->h2, 1); /* a byte may stand for 4 KiB to be checked */
        return stream->fields <= 4 * (size_t)options->headers_count;
    }
    if (stream->in_trailers)
        added = push(&req->trailers, (const char *)name, name_len, (const char *)value,
                     value_len);
    else if (*name == ':')
        add_pseudo(req, name, name_len, (const char *)value, value_len);
    else
        added = add_field(stream, name, name_len, (const char *)value, value_len);
    if (!added)
        refuse(stream, 503);
    return true;
}

/* CONNECT with a :protocol (RFC 8441) becomes the request that HTTP/1.1 has in its stead, so
 * that handlers see no difference. Its key only proves that a server knows WebSocket. */
static void add_upgrade(struct cg_http_request *req)
{
    static const char key[] = "AAAAAAAAAAAAAAAAAAAAAA==";

    req->code = HTTP_GET;
    req->method = llhttp_method_name(HTTP_GET);
    if (!push(&req->in, "connection", 10, "upgrade", 7) ||
        (cg_http_headers_get(&req->in, "sec-websocket-key") == NULL &&
         !push(&req->in, "sec-websocket-key", 17, key, sizeof key - 1)))
        refuse(cg__http_h2_of(req), 503);
}

/* nghttp2 has checked that Content-Length is one number, and that it is the body's; so it is 0 if
 * the head is all. What follows CONNECT is no body. */
void cg__http_h2_fields_end(struct cg__http_h2_stream *stream, bool end)
{
    struct cg_http_request *req = &stream->message;
    const char *length = NULL;

    req->upgrade = req->method != NULL && req->code == HTTP_CONNECT;
    if (stream->connects)
        add_upgrade(req);
    end |= req->upgrade;
    req->has_body = !end;
    req->body_done = end;
    if (!end)
        length = cg_http_headers_get(&req->in, "content-length");
    req->unsized = !end && length == NULL;
    if (length != NULL && !cg__http_framing_length(length, &req->length))
        refuse(stream, 400);
    if (stream->cookies.used > 0 &&
        !push(&req->in, "cookie", 6, stream->cookies.data, stream->cookies.used))
        refuse(stream, 503);
    if (req->line.used == 0 && cg__http_message_text(&req->line, "", 1) < 0)
        refuse(stream, 503);
}

static void put(struct cg__http_h2_head *head, const char *name, size_t name_len,
                const char *value, size_t value_len, uint8_t flags)
{
    head->fields[head->count++] =
        (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, name_len, value_len, flags};
}

#define PUT(head, name, value, len)                                                    \
    put(head, name, sizeof(name) - 1, value, len, NGHTTP2_NV_FLAG_NO_COPY_NAME)

/* For values that stay until the head has been sent. If they change before, the new ones are
 * sent. */
#define PUT_OWN(head, name, value, len)                                                \
    put(head, name, sizeof(name) - 1, value, len,                                      \
        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE)

static struct cg__http_h2_head *head_new(struct cg_http_server *server, size_t count)
{
    struct cg__http_h2_head *head = server->head;

    if (head == NULL || head->size < count) {
        size_t size = count < USUAL ? USUAL : count;

        head = realloc(head, sizeof *head + size * sizeof *head->fields);
        if (head == NULL)
            return NULL;
        head->size = size;
        server->head = head;
    }
    head->count = 0;
    return head;
}

/* What belongs to the connection has no place in HTTP/2 (RFC 9113, 8.2.2; RFC 8441, 5). */
static bool is_of_connection(const char *name)
{
    return cg__http_message_is_of_connection(name, strlen(name)) ||
           cg__ascii_equal(name, "sec-websocket-accept");
}

static void put_list(struct cg__http_h2_head *head, const struct cg_http_headers *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct cg__http_entry *entry = cg__http_entry(list, i);
        const char *name = cg__http_message_at(list, entry->name);

        if (!is_of_connection(name))
            put(head, name, entry->name_len, cg__http_message_at(list, entry->value),
                entry->value_len, NGHTTP2_NV_FLAG_NONE);
    }
}

/* The three digits of a status: the most frequent ones, or written to `to`. */
static const char *digits(char *to, int status)
{
    if (status == 200)
        return "200";
    for (int i = 2; i >= 0; i--, status /= 10)
        to[i] = (char)('0' + status % 10);
    return to;
}

/* The server's own fields, from the text that HTTP/1 begins with. */
static void put_own(struct cg__http_h2_head *head, const struct cg_http_request *req)
{
    const struct cg_http_server *server = req->server;
    const char *name = server->usual + CG__HTTP_OK,
               *end = server->usual + server->date_at;

    if (end > name && !(req->sets & CG__HTTP_SETS_SERVER))
        PUT_OWN(head, "server", name + 8, (size_t)(end - name) - 10);
    if (!(req->sets & CG__HTTP_SETS_DATE))
        PUT_OWN(head, "date", end + 6, CG__HTTP_DATE - 8);
}

struct cg__http_h2_head *cg__http_h2_fields_head(struct cg__http_h2_stream *stream, int status,
                                                 int64_t length, const char *type)
{
    const struct cg_http_request *req = &stream->message;
    struct cg__http_h2_head *head = head_new(req->server, 5 + req->out.count);

    if (head == NULL)
        return NULL;
    PUT_OWN(head, ":status", digits(stream->status, status), 3);
    put_own(head, req);
    if (type != NULL)
        PUT(head, "content-type", type, strlen(type));
    if (length >= 0 && status != 204 &&
        !(req->code == HTTP_CONNECT && status / 100 == 2))
        PUT_OWN(head, "content-length", stream->length,
                cg__http_framing_decimal(stream->length, (uint64_t)length));
    put_list(head, &req->out);
    return head;
}

struct cg__http_h2_head *cg__http_h2_fields_interim(struct cg__http_h2_stream *stream, int status,
                                                    const struct cg_http_field *fields)
{
    struct cg__http_h2_head *head;
    size_t count = 0;

    while (fields != NULL && fields[count].name != NULL)
        count++;
    head = head_new(stream->message.server, 1 + count);
    if (head == NULL)
        return NULL;
    PUT(head, ":status", digits(head->status, status), 3);
    for (size_t i = 0; i < count; i++)
        if (!is_of_connection(fields[i].name))
            put(head, fields[i].name, strlen(fields[i].name), fields[i].value,
                strlen(fields[i].value), NGHTTP2_NV_FLAG_NONE);
    return head;
}

struct cg__http_h2_head *cg__http_h2_fields_trailers(struct cg__http_h2_stream *stream)
{
    const struct cg_http_headers *trailers = &stream->message.out_trailers;
    struct cg__http_h2_head *head = head_new(stream->message.server, trailers->count);

    if (head != NULL)
        put_list(head, trailers);
    return head;
}
