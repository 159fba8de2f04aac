/* SPDX-License-Identifier: MIT */
/* See frames.h. A stream that the server has reset is not remembered as over: the client may have
 * sent further frames before it knew. */
#include "config.h"

#include "http/server/h2/budget.h"
#include "http/server/h2/frames.h"

#include <string.h>

enum {
    HEAD = 9,                                                 /* bytes of a frame's head .. */
    LONGEST = sizeof((struct cg__http_h2 *)0)->frames.head, /* .. and with those of PRIORITY */
};

void cg__http_h2_frames_begin(struct cg__http_h2 *h2)
{
    h2->frames.rest = NGHTTP2_CLIENT_MAGIC_LEN;
}

void cg__http_h2_frames_over(struct cg__http_h2 *h2, int32_t id)
{
    h2->frames.over[h2->frames.overs++ % CG__HTTP_H2_OVER] = id;
}

static bool is_over(const struct cg__http_h2 *h2, int32_t id)
{
    bool found = false;

    for (int i = 0; i < CG__HTTP_H2_OVER; i++)
        found |= h2->frames.over[i] == id;
    return found && id != 0;
}

/* A stream closes all idle ones with lower numbers, so a client that has left out numbers cannot
 * use them later (RFC 9113, 5.1.1). nghttp2 takes them for streams that it has forgotten. */
static void begin_stream(struct cg__http_h2 *h2, int32_t id)
{
    if (id <= h2->frames.last) {
        if (id >= h2->frames.left_out && id <= h2->frames.left_last)
            cg__http_h2_terminate(h2, NGHTTP2_PROTOCOL_ERROR);
        return;
    }
    if (id > h2->frames.last + 2) {
        h2->frames.left_out = h2->frames.last + 1;
        h2->frames.left_last = id - 1;
    }
    h2->frames.last = id;
}

/* PRIORITY of stream 0 is an error (RFC 9113, 6.3), which nghttp2 does not notice when it ignores
 * PRIORITY. */
static void look_at(struct cg__http_h2 *h2, uint8_t type, int32_t id)
{
    if ((type == NGHTTP2_DATA || type == NGHTTP2_HEADERS) && id <= h2->frames.last &&
        is_over(h2, id))
        cg__http_h2_terminate(h2, NGHTTP2_STREAM_CLOSED);
    if (type == NGHTTP2_HEADERS)
        begin_stream(h2, id);
    if (type == NGHTTP2_RST_STREAM)
        cg__http_h2_frames_over(h2, id);
    if (type == NGHTTP2_PRIORITY && id == 0)
        cg__http_h2_terminate(h2, NGHTTP2_PROTOCOL_ERROR);
}

/* The 31 bits of a stream's number. */
static int32_t number_at(const unsigned char *bytes)
{
    return (int32_t)((bytes[0] & 0x7fu) << 24 | (unsigned)bytes[1] << 16 |
                     (unsigned)bytes[2] << 8 | bytes[3]);
}

/* The size of a frame's head, of which so many bytes are there. With PRIORITY the stream that it
 * depends on is part of it. */
static size_t head_size(const unsigned char *head, size_t there)
{
    bool priority = there >= HEAD && head[3] == NGHTTP2_PRIORITY && head[0] == 0 &&
                    head[1] == 0 && head[2] == 5;

    return priority ? LONGEST : HEAD;
}

/* The head of a frame is complete. A stream that depends on itself is an error of RFC 7540, 5.3.1;
 * nghttp2 does not look into the PRIORITY that it ignores. */
static void head_came(struct cg__http_h2 *h2, const unsigned char *head, size_t size)
{
    const nghttp2_frame_hd hd = {
        .length = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2],
        .stream_id = number_at(head + 5),
        .type = head[3],
        .flags = head[4],
    };

    h2->frames.rest = hd.length - (size - HEAD);
    h2->frames.ended += h2->frames.rest == 0;
    cg__http_h2_budget_frame(h2, &hd);
    look_at(h2, hd.type, hd.stream_id);
    if (size > HEAD && number_at(head + 5) == number_at(head + HEAD))
        cg__http_h2_terminate(h2, NGHTTP2_PROTOCOL_ERROR);
}

/* Adds bytes to the head of a frame that comes in pieces. Returns how many. */
static size_t take_piece(struct cg__http_h2 *h2, const char *data, size_t len)
{
    unsigned char *head = h2->frames.head;
    size_t wanted = head_size(head, h2->frames.head_len) - h2->frames.head_len;

    if (len > wanted)
        len = wanted;
    memcpy(head + h2->frames.head_len, data, len);
    h2->frames.head_len += (unsigned)len;
    wanted = head_size(head, h2->frames.head_len);
    if (h2->frames.head_len < wanted)
        return len;
    h2->frames.head_len = 0;
    head_came(h2, head, wanted);
    return len;
}

/* Takes bytes of the head of a frame, of which usually all are there. Returns how many. */
static size_t take_head(struct cg__http_h2 *h2, const char *data, size_t len)
{
    const unsigned char *head = (const unsigned char *)data;
    size_t size;

    if (h2->frames.head_len > 0 || len < LONGEST)
        return take_piece(h2, data, len);
    size = head_size(head, len);
    head_came(h2, head, size);
    return size;
}

static size_t take_rest(struct cg__http_h2 *h2, size_t len)
{
    if (len < h2->frames.rest) {
        h2->frames.rest -= len;
        return len;
    }
    len = h2->frames.rest;
    h2->frames.rest = 0;
    h2->frames.ended++;
    return len;
}

size_t cg__http_h2_frames_come(struct cg__http_h2 *h2, const char *data, size_t len)
{
    size_t done = 0;

    h2->frames.ended = 0;
    h2->frames.got = h2->frames.last;
    while (done < len && h2->frames.ended < CG__HTTP_H2_SLICE)
        done += h2->frames.rest > 0 ? take_rest(h2, len - done)
                                    : take_head(h2, data + done, len - done);
    return done;
}
