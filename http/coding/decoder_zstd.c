/* SPDX-License-Identifier: MIT */
/* Zstandard by libzstd. A stream may have several frames. Some builds of libzstd also decode the
 * formats from before RFC 8878, if they get their magic number in one piece: these are refused. */
#include "config.h"

#include "http/coding/decoder.h"

#include <stdlib.h>
#include <zstd.h>

enum {
    WINDOW_LOG = 23
}; /* a larger window is not allowed in HTTP (RFC 9659) */

struct zstd {
    ZSTD_DCtx *frames;
    bool within; /* a frame */
};

static void *zstd_begin(void)
{
    struct zstd *zstd = calloc(1, sizeof *zstd);

    if (zstd == NULL || (zstd->frames = ZSTD_createDCtx()) == NULL) {
        free(zstd);
        return NULL;
    }
    ZSTD_DCtx_setParameter(zstd->frames, ZSTD_d_windowLogMax, WINDOW_LOG);
    return zstd;
}

/* Whether a frame, or one that is to be skipped, may begin with this byte. */
static bool begins_frame(uint8_t byte)
{
    return byte == 0x28 || (byte & 0xf0) == 0x50;
}

static ssize_t zstd_decode(void *state, const uint8_t **in, size_t *in_len,
                           uint8_t *out, size_t out_len, bool *ended)
{
    struct zstd *zstd = state;
    ZSTD_inBuffer from = {*in, *in_len, 0};
    ZSTD_outBuffer to = {out, out_len, 0};
    size_t rc;

    do {
        if (from.pos < from.size && !zstd->within) {
            if (!begins_frame((*in)[from.pos]))
                return -1;
            zstd->within = true;
        }
        rc = ZSTD_decompressStream(zstd->frames, &to, &from);
        zstd->within &= rc != 0;
    } while (!ZSTD_isError(rc) && from.pos < from.size && to.pos < to.size);
    *in += from.pos;
    *in_len -= from.pos;
    if (ZSTD_isError(rc))
        return -1;
    /* Without input the decoder only says how much it needs for the next frame. */
    *ended = rc == 0 || (*ended && from.size == 0);
    return (ssize_t)to.pos;
}

static void zstd_end(void *state)
{
    struct zstd *zstd = state;

    ZSTD_freeDCtx(zstd->frames);
    free(zstd);
}

const struct cg__coding cg__http_decoder_zstd = {
    .name = "zstd",
    .begin = zstd_begin,
    .decode = zstd_decode,
    .end = zstd_end,
};
