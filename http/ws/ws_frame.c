/* SPDX-License-Identifier: MIT */
/* Parses and makes frames. Everything that a head can do wrong is refused as soon as its
 * bytes have come, before anything is allocated for its payload. */
#include "config.h"

#include "http/ws/ws_frame.h"

#include <cogen/base.h>
#include <string.h>

static enum cg__ws_event bad(struct cg__ws_parser *parser, const char *why)
{
    parser->why = why;
    return CG__WS_BAD;
}

static bool is_control(const struct cg__ws_parser *parser)
{
    return parser->opcode >= CG__WS_OP_CLOSE;
}

/* Checks the first byte of a data frame against the message in progress, and begins one. */
static const char *begin_data(struct cg__ws_parser *parser, bool rsv1)
{
    if (parser->opcode > 2)
        return "an unknown opcode";
    if (parser->opcode == CG__WS_CONTINUATION) {
        if (!parser->open)
            return "a continuation without a message";
        return rsv1 ? "RSV1 in a continuation" : NULL;
    }
    if (parser->open)
        return "a new message within a message";
    if (rsv1 && !parser->deflate)
        return "RSV1 without permessage-deflate";
    parser->open = true;
    parser->kind = parser->opcode;
    parser->compressed = rsv1;
    parser->first = true;
    parser->seen = 0;
    return NULL;
}

static const char *begin_control(const struct cg__ws_parser *parser, unsigned len)
{
    if (parser->opcode > CG__WS_OP_PONG)
        return "an unknown opcode";
    if (parser->head[0] & CG__WS_RSV1)
        return "RSV1 in a control frame";
    if (!(parser->head[0] & CG__WS_FIN))
        return "a fragmented control frame";
    return len > CG__WS_CONTROL ? "a control frame with more than 125 bytes" : NULL;
}

/* The first two bytes are there. They tell how long the head is. */
static const char *begin(struct cg__ws_parser *parser)
{
    unsigned len = parser->head[1] & 0x7f;
    bool masked = parser->head[1] & 0x80;

    parser->opcode = parser->head[0] & 0x0f;
    parser->need = (uint8_t)(2 + (len == 126 ? 2 : len == 127 ? 8 : 0) + (masked ? 4 : 0));
    if (parser->head[0] & 0x30)
        return "RSV2 or RSV3 is set";
    if (masked != parser->masked)
        return masked ? "a masked frame from a server" : "an unmasked frame from a client";
    return is_control(parser) ? begin_control(parser, len)
                              : begin_data(parser, parser->head[0] & CG__WS_RSV1);
}

/* Reads the length. It must be encoded in the shortest way and fit into 63 bits. */
static const char *read_length(struct cg__ws_parser *parser)
{
    unsigned len = parser->head[1] & 0x7f, bytes = len == 126 ? 2 : len == 127 ? 8 : 0;

    parser->len = bytes == 0 ? len : 0;
    for (unsigned i = 0; i < bytes; i++)
        parser->len = parser->len << 8 | parser->head[2 + i];
    if (parser->len > INT64_MAX)
        return "a length of more than 63 bits";
    if ((bytes == 2 && parser->len < 126) || (bytes == 8 && parser->len <= UINT16_MAX))
        return "a length that is not encoded in the shortest way";
    return NULL;
}

/* The head is complete. Compressed payload may be longer than the message, if the peer
 * flushes often; the message itself is checked where it is inflated. */
static enum cg__ws_event begin_payload(struct cg__ws_parser *parser)
{
    uint64_t limit = parser->limit;
    const char *why = read_length(parser);

    if (why != NULL)
        return bad(parser, why);
    parser->in_payload = true;
    parser->done = 0;
    parser->control_len = 0;
    if (is_control(parser))
        return CG__WS_MORE;
    if (parser->compressed)
        limit = limit < INT64_MAX / 2 ? 2 * limit + 1024 : UINT64_MAX;
    if (parser->len > limit || parser->seen > limit - parser->len)
        return CG__WS_LONG;
    return CG__WS_MORE;
}

/* Takes bytes until the head has so many, or none are left. Returns how many it took. */
static size_t fill_head(struct cg__ws_parser *parser, size_t wanted, const char *data, size_t len)
{
    size_t n = wanted - parser->have;

    if (n > len)
        n = len;
    for (size_t i = 0; i < n; i++)
        parser->head[parser->have + i] = (uint8_t)data[i];
    parser->have = (uint8_t)(parser->have + n);
    return n;
}

/* Takes bytes for the head: two, which tell how long it is, then the others. CG__WS_MORE also
 * when it is complete. */
static enum cg__ws_event take_head(struct cg__ws_parser *parser, const char *data,
                                   size_t len, size_t *used)
{
    if (parser->need == 0) {
        const char *why;

        *used += fill_head(parser, 2, data + *used, len - *used);
        if (parser->have < 2)
            return CG__WS_MORE;
        why = begin(parser);
        if (why != NULL)
            return bad(parser, why);
    }
    *used += fill_head(parser, parser->need, data + *used, len - *used);
    return parser->have == parser->need ? begin_payload(parser) : CG__WS_MORE;
}

static void end_frame(struct cg__ws_parser *parser)
{
    parser->in_payload = false;
    parser->have = parser->need = 0;
}

static enum cg__ws_event end_control(struct cg__ws_parser *parser)
{
    end_frame(parser);
    return CG__WS_CONTROLS;
}

static enum cg__ws_event end_data(struct cg__ws_parser *parser)
{
    parser->seen += parser->len;
    parser->last = parser->head[0] & CG__WS_FIN;
    end_frame(parser);
    parser->open = !parser->last;
    return parser->last || parser->piece_len > 0 ? CG__WS_PIECE : CG__WS_MORE;
}

static enum cg__ws_event take_payload(struct cg__ws_parser *parser, char *data, size_t len,
                                      size_t *used)
{
    uint64_t left = parser->len - parser->done;
    size_t n = len - *used < left ? len - *used : (size_t)left;
    char *piece = data + *used;

    if (is_control(parser) && n > 0 && parser->control == NULL)
        return CG__WS_ROOM;
    if (parser->masked && n > 0)
        cg__http_ws_frame_mask(piece, piece, n, parser->head + parser->need - 4,
                               parser->done);
    *used += n;
    parser->done += n;
    if (is_control(parser)) {
        if (n > 0)
            memcpy(parser->control + parser->control_len, piece, n);
        parser->control_len = (uint8_t)(parser->control_len + n);
        return parser->done == parser->len ? end_control(parser) : CG__WS_MORE;
    }
    parser->piece = piece;
    parser->piece_len = n;
    parser->last = false;
    if (parser->done == parser->len)
        return end_data(parser);
    return n > 0 ? CG__WS_PIECE : CG__WS_MORE;
}

enum cg__ws_event cg__http_ws_frame_parse(struct cg__ws_parser *parser, char *data,
                                          size_t len, size_t *used)
{
    enum cg__ws_event event = CG__WS_MORE;

    *used = 0;
    do {
        if (!parser->in_payload)
            event = take_head(parser, data, len, used);
        if (event == CG__WS_MORE && parser->in_payload)
            event = take_payload(parser, data, len, used);
    } while (event == CG__WS_MORE && *used < len);
    return event;
}

size_t cg__http_ws_frame_head(uint8_t *head, unsigned first, uint64_t len,
                              const uint8_t *mask)
{
    unsigned bytes = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;

    head[0] = (uint8_t)first;
    head[1] = (uint8_t)(bytes == 0 ? len : bytes == 2 ? 126 : 127);
    for (unsigned i = 0; i < bytes; i++)
        head[2 + i] = (uint8_t)(len >> 8 * (bytes - 1 - i));
    if (mask == NULL)
        return 2 + bytes;
    head[1] |= 0x80;
    memcpy(head + 2 + bytes, mask, 4);
    return 2 + bytes + 4;
}

/* Bytes up to one to which the first byte of the mask belongs, then eight at a time, of which
 * the compiler makes vectors, then the rest. */
void cg__http_ws_frame_mask(char *to, const char *from, size_t len, const uint8_t *mask,
                            uint64_t at)
{
    uint64_t word, eight;
    uint32_t four;
    size_t i = 0, begin = (size_t)(-at & 3);

    for (; i < len && i < begin; i++)
        to[i] = (char)((uint8_t)from[i] ^ mask[(at + i) & 3]);
    memcpy(&four, mask, 4);
    eight = (uint64_t)four << 32 | four;
    for (; len - i >= 8; i += 8) {
        memcpy(&word, from + i, 8);
        word ^= eight;
        memcpy(to + i, &word, 8);
    }
    for (; i < len; i++)
        to[i] = (char)((uint8_t)from[i] ^ mask[(at + i) & 3]);
}

bool cg__http_ws_frame_is_code(unsigned code)
{
    if (code >= 3000)
        return code < 5000;
    return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}
