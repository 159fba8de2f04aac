/* SPDX-License-Identifier: MIT */
/* Puts messages together. One that came in one frame is not copied: it stays in the view of
 * the socket's input, where it was unmasked. */
#include "config.h"

#include "http/message/room.h"
#include "http/ws/ws_message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int invalid(struct cg_ws *ws, const char *why)
{
    ws->parser.why = why;
    return -EILSEQ;
}

static int check_text(struct cg_ws *ws, const char *data, size_t len)
{
    if (ws->parser.kind != CG_WS_TEXT || cg__http_ws_utf8_check(&ws->utf8, data, len))
        return 0;
    return invalid(ws, "a text that is not valid UTF-8");
}

/* Makes room for a message of so many bytes. It grows as bytes come, whatever length the
 * peer has announced. */
static int grow(struct cg_ws *ws, size_t wanted)
{
    return cg__http_room(&ws->buf, &ws->buf_size, CG__WS_FIRST_ROOM, wanted);
}

static int append(struct cg_ws *ws, const char *data, size_t len)
{
    int rc;

    if (len > ws->options.limit - ws->buf_len)
        return -EMSGSIZE;
    rc = grow(ws, ws->buf_len + len);
    if (rc == 0 && len > 0) {
        memcpy(ws->buf + ws->buf_len, data, len);
        ws->buf_len += len;
    }
    return rc;
}

/* Inflates the parser's piece behind what there is: all of it, or up to a piece of ours. A
 * byte beyond the limit is enough to know that the message exceeds it. */
static int inflate(struct cg_ws *ws, bool pieces)
{
    uint64_t limit = ws->options.limit;
    size_t most = pieces ? CG__WS_PIECE_SIZE : limit < SIZE_MAX ? (size_t)limit + 1 : SIZE_MAX;
    const char *data = ws->parser.piece;

    while (ws->buf_len < most) {
        size_t room;
        ssize_t n;
        int rc = grow(ws, ws->buf_len + 1);

        if (rc < 0)
            return rc;
        room = (ws->buf_size < most ? ws->buf_size : most) - ws->buf_len;
        n = cg__http_ws_deflate_unpack(ws->deflate, &data, &ws->parser.piece_len,
                                       ws->buf + ws->buf_len, room);
        ws->parser.piece = (char *)(uintptr_t)data;
        if (n == -EILSEQ)
            return invalid(ws, "invalid compressed data");
        rc = n < 0 ? (int)n : check_text(ws, ws->buf + ws->buf_len, (size_t)n);
        if (rc < 0)
            return rc;
        ws->buf_len += (size_t)n;
        if ((size_t)n < room) {
            ws->pending = false;
            return 0;
        }
    }
    return pieces ? 0 : -EMSGSIZE;
}

/* The last byte of the message has come. */
static int end(struct cg_ws *ws)
{
    if (ws->parser.compressed) {
        int rc = cg__http_ws_deflate_end(ws->deflate);

        if (rc < 0)
            return rc == -EILSEQ ? invalid(ws, "truncated compressed data") : rc;
    }
    if (ws->parser.kind == CG_WS_TEXT && ws->utf8.left > 0)
        return invalid(ws, "a text that ends within a character");
    return 0;
}

static int take_plain(struct cg_ws *ws, bool alone)
{
    struct cg__ws_parser *parser = &ws->parser;
    int rc = check_text(ws, parser->piece, parser->piece_len);

    ws->pending = false;
    if (rc < 0)
        return rc;
    if (!alone)
        return append(ws, parser->piece, parser->piece_len);
    ws->message = (struct cg_ws_message){parser->piece, parser->piece_len, false};
    return 0;
}

int cg__http_ws_message_take(struct cg_ws *ws, bool pieces)
{
    struct cg__ws_parser *parser = &ws->parser;
    bool first = parser->first, last, alone;
    int rc;

    parser->first = false;
    if (first)
        ws->utf8 = (struct cg__utf8){.left = 0};
    ws->pending = true;
    alone = !parser->compressed && ws->buf_len == 0 && (pieces || (first && parser->last));
    rc = parser->compressed ? inflate(ws, pieces) : take_plain(ws, alone);
    last = parser->last && !ws->pending;
    if (rc == 0 && last)
        rc = end(ws);
    if (rc < 0)
        return rc;
    if (!alone)
        ws->message = (struct cg_ws_message){ws->buf, ws->buf_len, false};
    if (!last && (!pieces || ws->message.len == 0))
        return 0;
    ws->message.more = !last;
    ws->ready = parser->kind;
    ws->delivered = true;
    return 1;
}

void cg__http_ws_message_forget(struct cg_ws *ws, bool idle)
{
    if (ws->delivered)
        ws->buf_len = 0;
    ws->delivered = false;
    if (idle && ws->buf_len == 0) {
        free(ws->buf);
        ws->buf = NULL;
        ws->buf_size = 0;
    }
}
