/* SPDX-License-Identifier: MIT */
/* Zstandard by libzstd. A stream may have several frames. */
#include "config.h"

#include "http/coding/decoder.h"

#include <zstd.h>

enum {
    WINDOW_LOG = 23
}; /* a larger window is not allowed in HTTP (RFC 9659) */

static void *zstd_begin(void)
{
    ZSTD_DCtx *state = ZSTD_createDCtx();

    if (state != NULL)
        ZSTD_DCtx_setParameter(state, ZSTD_d_windowLogMax, WINDOW_LOG);
    return state;
}

static ssize_t zstd_decode(void *state, const uint8_t **in, size_t *in_len,
                           uint8_t *out, size_t out_len, bool *ended)
{
    ZSTD_inBuffer from = {*in, *in_len, 0};
    ZSTD_outBuffer to = {out, out_len, 0};
    size_t rc;

    do
        rc = ZSTD_decompressStream(state, &to, &from);
    while (!ZSTD_isError(rc) && from.pos < from.size && to.pos < to.size);
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
    ZSTD_freeDCtx(state);
}

const struct cg__coding cg__http_decoder_zstd = {
    .name = "zstd",
    .begin = zstd_begin,
    .decode = zstd_decode,
    .end = zstd_end,
};
