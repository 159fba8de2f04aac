/* SPDX-License-Identifier: MIT */
/* The heads of responses, and trailers, field by field. */
#include "config.h"

#include "http/client/h2/session.h"
#include "lib/base/ascii.h"

#include <errno.h>
#include <string.h>

enum { FIELD_COST = 32 }; /* bytes that a field counts beyond its text (RFC 9113, 6.5.2) */

static struct cg__h2_head *begin_head(struct cg__h2_stream *stream)
{
    struct cg__http2_memory *memory = &stream->h2->memory;
    struct cg__h2_head *head = cg__http_blocks_calloc(1, sizeof *head, memory);

    if (head == NULL)
        return NULL;
    head->fields = stream->spare;
    stream->spare = (struct cg_http_headers){.data = NULL};
    if (cg__http_message_text(&head->fields, "", 1) < 0) {
        cg__http_blocks_free(head, memory);
        return NULL;
    }
    head->length = -1;
    *(stream->last ? &stream->last->next : &stream->first) = head;
    stream->last = head;
    return head;
}

int cg__http_client_h2_heads_begin(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    struct cg__h2 *h2 = data;
    struct cg__h2_stream *stream = cg__http_client_h2_stream_find(h2, frame->hd.stream_id);

    (void)session;
    h2->heads = stream;
    if (stream == NULL || stream->closed || stream->finals)
        return 0;
    stream->count++; /* many interim heads cost memory, too */
    if (begin_head(stream) == NULL)
        cg__http_client_h2_stream_drop(stream, -ENOMEM, "no memory for the response");
    return 0;
}

/* Counts a field. Returns false if the response is refused because of it. */
static bool count_field(struct cg__h2_stream *stream, size_t len)
{
    const struct cg__http_limits *limits = &stream->h2->client->limits;

    stream->count++;
    stream->bytes += (uint32_t)len + FIELD_COST;
    if (stream->bytes <= limits->headers && stream->count <= limits->count)
        return true;
    cg__http_client_h2_stream_drop(
        stream, CG_EHTTP_LIMIT,
        stream->count > limits->count
            ? "the response is too large: too many header fields"
            : "the response is too large: the header fields are too long");
    return false;
}

static bool is_name(const char *name, size_t len, const char *wanted)
{
    return len == strlen(wanted) && memcmp(name, wanted, len) == 0;
}

/* nghttp2 has checked the field. */
static int store_field(struct cg__h2_head *head, struct cg_http_headers *trailers,
                       const char *name, size_t name_len, const char *value, size_t value_len)
{
    uint64_t number;

    if (head != NULL && is_name(name, name_len, ":status")) {
        if (!cg__ascii_is_number(value, &number) || number < 100 || number > 999)
            return -EINVAL;
        head->status = (unsigned)number;
        return 0;
    }
    if (*name == ':')
        return head != NULL ? 0 : -EINVAL;
    if (head != NULL && is_name(name, name_len, "content-length")) {
        if (!cg__ascii_is_number(value, &number) || number > INT64_MAX)
            return -EINVAL;
        head->length = (int64_t)number;
    }
    return cg__http_message_put(head != NULL ? &head->fields : trailers, name, name_len, value,
                                value_len);
}

int cg__http_client_h2_heads_field(nghttp2_session *session, const nghttp2_frame *frame,
                                   const uint8_t *name, size_t name_len, const uint8_t *value,
                                   size_t value_len, uint8_t flags, void *data)
{
    struct cg__h2 *h2 = data;
    struct cg__h2_stream *stream = h2->heads;
    struct cg__h2_head *head;
    int rc;

    (void)session, (void)frame, (void)flags;
    if (stream == NULL || stream->closed || !count_field(stream, name_len + value_len))
        return 0;
    head = stream->last != NULL && !stream->last->complete ? stream->last : NULL;
    rc = store_field(head, &stream->trailers, (const char *)name, name_len,
                     (const char *)value, value_len);
    if (rc == -ENOMEM)
        cg__http_client_h2_stream_drop(stream, rc, "no memory for the response");
    else if (rc < 0)
        cg__http_client_h2_stream_drop(stream, CG_EHTTP,
                                       "the response is not valid HTTP: a field is invalid");
    return 0;
}

int cg__http_client_h2_heads_invalid(nghttp2_session *session, const nghttp2_frame *frame,
                                     const uint8_t *name, size_t name_len, const uint8_t *value,
                                     size_t value_len, uint8_t flags, void *data)
{
    struct cg__h2_stream *stream = cg__http_client_h2_stream_find(data, frame->hd.stream_id);

    (void)session, (void)name, (void)name_len, (void)value, (void)value_len, (void)flags;
    if (stream != NULL && !stream->closed)
        cg__http_client_h2_stream_drop(stream, CG_EHTTP,
                                       "the response is not valid HTTP: a field is invalid");
    return 0;
}

/* 2xx accepts an upgrade. It becomes the 101 that HTTP/1.1 has in its stead, so that whoever
 * reads it sees no difference. 0 or a negative code. */
static int accept_upgrade(struct cg__h2_stream *stream, struct cg__h2_head *head)
{
    struct cg_http_field field;
    size_t at = 0;
    int rc = 0;

    head->status = 101;
    while (rc == 0 && cg_http_headers_next(&stream->upgrade, &at, &field))
        rc = cg_http_headers_set(&head->fields, field.name, field.value);
    return rc;
}

void cg__http_client_h2_heads_end(struct cg__h2_stream *stream)
{
    struct cg__h2_head *head = stream->last;

    if (head == NULL || head->complete)
        return;
    if (stream->connects && head->status / 100 == 2 && accept_upgrade(stream, head) < 0) {
        cg__http_client_h2_stream_drop(stream, -ENOMEM, "no memory for the response");
        return;
    }
    head->complete = true;
    stream->finals |= head->status / 100 != 1 || head->status == 101;
}
