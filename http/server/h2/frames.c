/* SPDX-License-Identifier: MIT */
/* See frames.h. A stream that the server has reset is not remembered as over: the client may have
 * sent further frames before it knew. */
#include "config.h"

#include "http/server/h2/budget.h"
#include "http/server/h2/frames.h"

#include <string.h>

void cg__http_h2_frames_begin(struct cg__http_h2 *h2)
{
    h2->frames.rest = NGHTTP2_CLIENT_MAGIC_LEN;
    h2->frames.untold = -1; /* the preface is no frame */
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

static void look_at(struct cg__http_h2 *h2, uint8_t type, int32_t id)
{
    if ((type == NGHTTP2_DATA || type == NGHTTP2_HEADERS) && is_over(h2, id))
        cg__http_h2_terminate(h2, NGHTTP2_STREAM_CLOSED);
    if (type == NGHTTP2_RST_STREAM)
        cg__http_h2_frames_over(h2, id);
}

/* Adds bytes to the head of a frame. Returns how many. */
static size_t take_head(struct cg__http_h2 *h2, const char *data, size_t len)
{
    size_t wanted = sizeof h2->frames.head - h2->frames.head_len;
    const unsigned char *head = h2->frames.head;

    if (len > wanted)
        len = wanted;
    memcpy(h2->frames.head + h2->frames.head_len, data, len);
    h2->frames.head_len += (unsigned)len;
    if (len < wanted)
        return len;
    h2->frames.head_len = 0;
    h2->frames.rest = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
    h2->frames.untold += h2->frames.rest == 0;
    look_at(h2, head[3],
            (int32_t)((head[5] & 0x7fu) << 24 | (unsigned)head[6] << 16 |
                      (unsigned)head[7] << 8 | head[8]));
    return len;
}

static size_t take_rest(struct cg__http_h2 *h2, size_t len)
{
    if (len < h2->frames.rest) {
        h2->frames.rest -= len;
        return len;
    }
    len = h2->frames.rest;
    h2->frames.rest = 0;
    h2->frames.untold++;
    return len;
}

size_t cg__http_h2_frames_come(struct cg__http_h2 *h2, const char *data, size_t len)
{
    const int most = h2->frames.untold + CG__HTTP_H2_SLICE;
    size_t done = 0;

    while (done < len && h2->frames.untold < most)
        done += h2->frames.rest > 0 ? take_rest(h2, len - done)
                                    : take_head(h2, data + done, len - done);
    return done;
}

/* PRIORITY of stream 0 is an error (RFC 9113, 6.3), which nghttp2 does not notice when it ignores
 * PRIORITY. */
void cg__http_h2_frames_told(struct cg__http_h2 *h2, const nghttp2_frame_hd *hd)
{
    h2->frames.untold--;
    if (hd->type == NGHTTP2_PRIORITY && hd->stream_id == 0)
        cg__http_h2_terminate(h2, NGHTTP2_PROTOCOL_ERROR);
}

/* A frame counts when it is complete, but nghttp2 reports it as soon as its head is: the
 * difference may be negative. */
void cg__http_h2_frames_seen(struct cg__http_h2 *h2)
{
    if (h2->frames.untold > 0) {
        cg__http_h2_budget_charge(h2, (unsigned)h2->frames.untold);
        h2->frames.untold = 0;
    }
}
