/* SPDX-License-Identifier: MIT */
/* Frames of WebSocket: the same messages wherever the bytes are cut. The first byte says who
 * reads, and whether messages may be compressed. */
#include "config.h"

#include "http/ws/ws_frame.h"
#include "http/ws/ws_utf8.h"
#include "tests/fuzz/fuzz.h"

/* Parses a piece. Returns false after an invalid frame. */
static bool parse(FILE *told, struct cg__ws_parser *parser, char *piece, size_t size)
{
    static char control[CG__WS_CONTROL];
    size_t at = 0, used;

    for (;;) {
        enum cg__ws_event event = cg__http_ws_frame_parse(parser, piece + at, size - at, &used);

        MUST(used <= size - at);
        at += used;
        switch (event) {
        case CG__WS_MORE:
            MUST(at == size);
            return true;
        case CG__WS_PIECE:
            if (parser->first)
                fprintf(told, "\nmessage %d %d:", parser->kind, parser->compressed);
            parser->first = false;
            fwrite(parser->piece, 1, parser->piece_len, told);
            if (parser->last)
                fprintf(told, ".");
            break;
        case CG__WS_CONTROLS:
            MUST(parser->control_len <= CG__WS_CONTROL);
            fprintf(told, "[%d:", parser->opcode);
            if (parser->control_len > 0)
                fwrite(parser->control, 1, parser->control_len, told);
            fprintf(told, "]");
            break;
        case CG__WS_ROOM:
            MUST(parser->control == NULL);
            parser->control = control;
            break;
        case CG__WS_BAD:
        case CG__WS_LONG:
            MUST(event == CG__WS_LONG || parser->why != NULL);
            fprintf(told, "\n%d %s", event, event == CG__WS_BAD ? parser->why : "");
            return false;
        }
    }
}

static struct fuzz_told told_of(const uint8_t *data, size_t size, enum fuzz_cuts cuts)
{
    struct cg__ws_parser parser = {
        .masked = data[0] & 1, .deflate = data[0] & 2, .limit = 300};
    struct fuzz_told told;
    uint32_t state = 0;
    bool more = true;

    fuzz_tell(&told);
    for (size_t at = 1, n; more && at < size; at += n) {
        char *piece = fuzz_copy(data + at, n = fuzz_piece(cuts, data + at, size - at, &state));

        more = parse(told.file, &parser, piece, n);
        free(piece);
    }
    fclose(told.file);
    return told;
}

/* UTF-8 in pieces is valid if it is so as a whole. */
static void check_utf8(const uint8_t *data, size_t size, enum fuzz_cuts cuts)
{
    bool whole = cg__http_ws_utf8_is_valid((const char *)data, size), valid = true;
    struct cg__utf8 utf8 = {.left = 0};
    uint32_t state = 0;

    for (size_t at = 0, n; valid && at < size; at += n) {
        n = fuzz_piece(cuts, data + at, size - at, &state);
        valid = cg__http_ws_utf8_check(&utf8, (const char *)data + at, n);
    }
    MUST((valid && utf8.left == 0) == whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_told whole, other;

    if (size == 0)
        return 0;
    whole = told_of(data, size, FUZZ_WHOLE);
    for (int cuts = FUZZ_BYTES; cuts < FUZZ_CUTS; cuts++) {
        other = told_of(data, size, (enum fuzz_cuts)cuts);
        fuzz_compare(&whole, &other);
        check_utf8(data, size, (enum fuzz_cuts)cuts);
    }
    free(whole.text);
    return 0;
}
