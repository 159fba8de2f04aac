/* SPDX-License-Identifier: MIT */
/* The head of a request in HTTP/2. */
#include "config.h"

#include "http/client/fields.h"
#include "http/client/h2/session.h"
#include "http/http1/framing.h"
#include "http/message/ws_key.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    OWN = 6, /* five pseudo-fields and Content-Length */
    KEPT_FIELDS = 4 * 1024, /* bytes for the fields of the next request */
};

/* A field whose name is static. */
static nghttp2_nv pair(const char *name, const char *value, size_t value_len)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                        .value = (uint8_t *)(uintptr_t)value,
                        .namelen = strlen(name),
                        .valuelen = value_len,
                        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME};
}

static nghttp2_nv text(const char *name, const char *value)
{
    return pair(name, value, strlen(value));
}

#define IS(name, len, other)                                                           \
    ((len) == sizeof(other) - 1 && cg__ascii_same(name, other, sizeof(other) - 1))

/* Fields about one connection, which HTTP/2 does not have (RFC 9113, 8.2.2; RFC 8441, 5). */
static bool is_of_connection(const char *name, size_t len, const char *value)
{
    return cg__http_message_is_of_connection(name, len) ||
           IS(name, len, "sec-websocket-key") ||
           (IS(name, len, "te") && !cg__ascii_equal(value, "trailers"));
}

/* Secrets do not go into the table of HPACK, where their length could be guessed. */
static uint8_t flags_of(const char *name, size_t len)
{
    return IS(name, len, "authorization") ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
}

/* Appends the fields of a list; Host replaces the authority. nghttp2 writes the names in lower case
 * when it copies them. */
static size_t append(nghttp2_nv *to, nghttp2_nv *authority, const struct cg_http_headers *fields)
{
    size_t count = 0;

    for (uint32_t i = 0; i < fields->count; i++) {
        const struct cg__http_entry *entry = cg__http_entry(fields, i);
        char *name = cg__http_message_at(fields, entry->name);
        char *value = cg__http_message_at(fields, entry->value);

        if (authority != NULL && IS(name, entry->name_len, "host"))
            *authority = pair(":authority", value, entry->value_len);
        else if (!is_of_connection(name, entry->name_len, value))
            to[count++] = (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, entry->name_len,
                                       entry->value_len, flags_of(name, entry->name_len)};
    }
    return count;
}

/* The length of the body, or -1: unknown. Methods that usually have a body send a length
 * of 0 if there is none. */
static int64_t body_length(const struct cg__asking *ask)
{
    if (ask->with_body)
        return ask->fetch->source ? ask->fetch->source->len : (int64_t)ask->fetch->len;
    return strcmp(ask->method, "POST") == 0 || strcmp(ask->method, "PUT") == 0 ||
                   strcmp(ask->method, "PATCH") == 0
               ? 0
               : -1;
}

/* Makes the fields that the server would send with 101 in HTTP/1.1. It sends none of them in
 * HTTP/2 (RFC 8441, 5), but whoever reads the response shall see no difference. */
static ssize_t prepare_accept(struct cg__h2_stream *stream, const char *protocol,
                              const struct cg_http_headers *fields)
{
    const char *key = cg_http_headers_get(fields, "Sec-WebSocket-Key");
    char answer[CG__WS_ACCEPT];
    ssize_t n;

    cg__http_message_clear(&stream->upgrade);
    n = cg_http_headers_add(&stream->upgrade, "upgrade", protocol);
    if (n == 0)
        n = cg_http_headers_add(&stream->upgrade, "connection", "upgrade");
    if (n < 0 || key == NULL || !cg__http_ws_key_is_valid(key))
        return n;
    cg__http_ws_key_accept(key, answer);
    return cg_http_headers_add(&stream->upgrade, "sec-websocket-accept", answer);
}

static ssize_t submit(struct cg__h2_stream *stream, const struct cg__asking *ask,
                      struct cg_http_headers *fields, nghttp2_nv *list,
                      const nghttp2_data_provider *body)
{
    const struct cg__url *url = &ask->url;
    bool server = url->no_path && strcmp(ask->method, "OPTIONS") == 0;
    const char *protocol = stream->connects ? cg_http_headers_get(fields, "Upgrade") : NULL;
    int64_t length = body_length(ask);
    size_t count = 4;
    char number[24];
    ssize_t n = protocol != NULL ? prepare_accept(stream, protocol, fields) : 0;
    int32_t id;

    if (n < 0)
        return n;
    list[0] = text(":method", protocol != NULL ? "CONNECT" : ask->method);
    list[1] = text(":scheme", url->https ? "https" : "http");
    list[2] = text(":authority", url->hostport);
    list[3] = text(":path", server ? "*" : url->target);
    if (protocol != NULL)
        list[count++] = text(":protocol", protocol);
    count += append(list + count, &list[2], fields);
    if (length >= 0)
        list[count++] = pair("content-length", number,
                             cg__http_framing_decimal(number, (uint64_t)length));
    id = nghttp2_submit_request(stream->h2->session, NULL, list, count, body, stream);
    if (id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE)
        return -EAGAIN;
    return id < 0 ? -ENOMEM : id;
}

ssize_t cg__http_client_h2_fields_submit(struct cg__h2_stream *stream,
                                         const struct cg__asking *ask,
                                         const nghttp2_data_provider *body)
{
    struct cg_http_headers *fields = &ask->client->h2_fields;
    nghttp2_nv *list = NULL;
    ssize_t n = cg__http_client_fields(fields, cg__http_message_put, ask, false);

    if (n == 0) {
        list = cg__http_blocks_malloc((fields->count + OWN) * sizeof *list,
                                      &stream->h2->memory);
        n = list != NULL ? submit(stream, ask, fields, list, body) : -ENOMEM;
    }
    cg__http_blocks_free(list, &stream->h2->memory);
    cg__http_message_reset(fields, KEPT_FIELDS);
    return n;
}

ssize_t cg__http_client_h2_fields_trailers(struct cg__h2_stream *stream,
                                           const struct cg_http_headers *trailers)
{
    struct cg_http_headers fields = {.data = NULL};
    struct cg_http_field field;
    nghttp2_nv *list = NULL;
    size_t at = 0;
    ssize_t rc = 0;

    while (rc == 0 && cg_http_headers_next(trailers, &at, &field))
        if (!cg__http_message_is_framing(field.name, strlen(field.name)))
            rc = cg_http_headers_add(&fields, field.name, field.value);
    if (rc == 0)
        list = malloc((fields.count + 1) * sizeof *list);
    if (rc == 0 && list == NULL)
        rc = -ENOMEM;
    if (rc == 0)
        rc = (ssize_t)append(list, NULL, &fields);
    if (rc > 0 && nghttp2_submit_trailer(stream->h2->session, stream->id, list,
                                         (size_t)rc) != 0)
        rc = -ENOMEM;
    free(list);
    cg__http_message_clear(&fields);
    return rc;
}
