/* SPDX-License-Identifier: MIT */
/* Zstandard by libzstd. */
#include "config.h"

#include "http/coding/encoder.h"

#include <errno.h>
#include <zstd.h>

/* Logarithms of sizes. A stream takes 170 KB with these; a whole body 100 to 620 KB with tables
 * that fit its size, more if it is large. HTTP allows windows of 8 MiB (RFC 9659). */
enum { LEVEL = 3, WINDOW = 14, TABLE = 12, WHOLE_WINDOW = 20 };

static bool set(ZSTD_CCtx *state, ZSTD_cParameter parameter, int value)
{
    return !ZSTD_isError(ZSTD_CCtx_setParameter(state, parameter, value));
}

static bool set_up(ZSTD_CCtx *state, size_t whole)
{
    if (!set(state, ZSTD_c_compressionLevel, LEVEL))
        return false;
    if (whole > 0)
        return set(state, ZSTD_c_windowLog, WHOLE_WINDOW) &&
               !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(state, whole));
    return set(state, ZSTD_c_windowLog, WINDOW) && set(state, ZSTD_c_hashLog, TABLE) &&
           set(state, ZSTD_c_chainLog, TABLE) && set(state, ZSTD_c_strategy, ZSTD_dfast);
}

static void *zstd_begin(size_t whole)
{
    ZSTD_CCtx *state = ZSTD_createCCtx();

    if (state == NULL || set_up(state, whole))
        return state;
    ZSTD_freeCCtx(state);
    return NULL;
}

static ssize_t zstd_encode(void *state, enum cg__http_encode how, const char **data, size_t *size,
                           char *out, size_t room, bool *again)
{
    static const ZSTD_EndDirective ops[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
    ZSTD_inBuffer in = {*data, *size, 0};
    ZSTD_outBuffer to = {out, room, 0};
    size_t left = ZSTD_compressStream2(state, &to, &in, ops[how]);

    if (ZSTD_isError(left))
        return -ENOMEM;
    *data += in.pos;
    *size -= in.pos;
    *again = *size > 0 || (how != CG__HTTP_GATHER && left > 0);
    return (ssize_t)to.pos;
}

static void zstd_end(void *state)
{
    ZSTD_freeCCtx(state);
}

const struct cg__encoding cg__http_encoder_zstd = {
    .begin = zstd_begin,
    .encode = zstd_encode,
    .end = zstd_end,
};
