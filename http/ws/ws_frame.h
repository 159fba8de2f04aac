/* SPDX-License-Identifier: MIT */
/* The frames of WebSocket (RFC 6455, 5), without I/O: bytes in, events out. */
#ifndef COGEN_HTTP_WS_WS_FRAME_H
#define COGEN_HTTP_WS_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CG__WS_HEAD = 14,     /* the longest head of a frame */
    CG__WS_CONTROL = 125, /* the longest payload of a control frame */
    CG__WS_FIN = 0x80,    /* in the first byte: the message ends with this frame */
    CG__WS_RSV1 = 0x40,   /* the message is compressed */
};

enum cg__ws_opcode {
    CG__WS_CONTINUATION = 0,
    CG__WS_OP_CLOSE = 8,
    CG__WS_OP_PING = 9,
    CG__WS_OP_PONG = 10,
};

enum cg__ws_event {
    CG__WS_MORE,    /* needs more bytes */
    CG__WS_PIECE,   /* a piece of a message: .piece, .piece_len, .first, .last */
    CG__WS_CONTROLS, /* a control frame: .opcode, .control, .control_len */
    CG__WS_BAD,     /* an invalid frame: .why */
    CG__WS_LONG,    /* a message exceeds the limit */
    CG__WS_ROOM,    /* the payload of a control frame comes, and .control is NULL: set it */
};

struct cg__ws_parser {
    /* Set by the caller. */
    bool masked;    /* frames must be masked (those that a server receives), or must not */
    bool deflate;   /* RSV1 is allowed */
    uint64_t limit; /* most bytes of a message's payload */
    char *control;  /* room for CG__WS_CONTROL bytes, used while a control frame comes; or
                     * NULL: most control frames are empty, and most WebSockets are idle */
    /* The frame. */
    uint8_t head[CG__WS_HEAD];
    uint8_t have, need; /* bytes of the head */
    uint8_t opcode;
    bool in_payload;
    uint64_t len, done; /* of its payload */
    /* The message. */
    bool open;       /* it has begun, and not ended */
    bool compressed;
    int kind;        /* its first opcode */
    uint64_t seen;   /* payload in its frames before this one */
    /* The events. */
    char *piece;
    size_t piece_len;
    bool first, last; /* the message begins, ends with this piece */
    uint8_t control_len; /* of .control */
    const char *why;
};

/* Parses bytes up to the next event, and unmasks payload in place. Stores the number of
 * used bytes. After CG__WS_BAD and CG__WS_LONG it must not be called again. */
enum cg__ws_event cg__http_ws_frame_parse(struct cg__ws_parser *parser, char *data,
                                          size_t len, size_t *used);

/* Whether the parser is between two messages, so that no state is lost with the buffers of
 * a message. */
static inline bool cg__http_ws_frame_is_between(const struct cg__ws_parser *parser)
{
    return parser->have == 0 && !parser->open;
}

/* Writes the head of a frame into at least CG__WS_HEAD bytes; returns its length. first: the
 * opcode with CG__WS_FIN and CG__WS_RSV1. mask: 4 bytes; NULL: not masked. */
size_t cg__http_ws_frame_head(uint8_t *head, unsigned first, uint64_t len,
                              const uint8_t *mask);

/* Masks or unmasks bytes that begin at position `at` of a payload. `to` may be `from`. */
void cg__http_ws_frame_mask(char *to, const char *from, size_t len, const uint8_t *mask,
                            uint64_t at);

/* Whether a code may stand in a Close. */
bool cg__http_ws_frame_is_code(unsigned code);

#endif
