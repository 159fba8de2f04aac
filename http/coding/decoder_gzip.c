/* SPDX-License-Identifier: MIT */
/* Decompression of gzip and deflate by zlib. A stream of gzip may have several members. Bytes
 * after the last one are ignored, as the program gzip does. */
#include "config.h"

#include "http/coding/decoder.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

enum { WINDOW = 15, GZIP = 16 };

struct gzip {
    z_stream stream;
    bool deflate; /* not gzip */
    bool begun;   /* of deflate: its first byte has come */
    bool between; /* a member has ended, and the next one has not begun */
};

static struct gzip *begin(bool deflate)
{
    struct gzip *gzip = calloc(1, sizeof *gzip);

    if (gzip == NULL)
        return NULL;
    gzip->deflate = deflate;
    if (inflateInit2(&gzip->stream, WINDOW + (deflate ? 0 : GZIP)) == Z_OK)
        return gzip;
    free(gzip);
    return NULL;
}

static void *gzip_begin(void)
{
    return begin(false);
}

static void *deflate_begin(void)
{
    return begin(true);
}

/* "deflate" means the format of zlib, but some servers send the bare stream. The first byte
 * tells: a header of zlib would begin a bare stream with a stored block whose padding is not
 * zero, which no program writes. */
static void look_at_header(struct gzip *gzip, uint8_t first)
{
    gzip->begun = true;
    if ((first & 0x8f) != 0x08)
        inflateReset2(&gzip->stream, -WINDOW);
}

static ssize_t gzip_decode(void *state, const uint8_t **in, size_t *in_len,
                           uint8_t *out, size_t out_len, bool *ended)
{
    struct gzip *gzip = state;
    z_stream *stream = &gzip->stream;
    uInt room = out_len < INT_MAX ? (uInt)out_len : INT_MAX;
    int rc = Z_OK;

    if (gzip->deflate && !gzip->begun && *in_len > 0)
        look_at_header(gzip, **in);
    stream->next_out = out;
    stream->avail_out = room;
    stream->next_in = (Bytef *)*in;
    stream->avail_in = (uInt)*in_len;
    while (rc == Z_OK && stream->avail_out > 0) {
        if (gzip->between) {
            if (gzip->deflate || stream->avail_in == 0 || *stream->next_in != 0x1f)
                break;
            inflateReset(stream);
            gzip->between = false;
        }
        rc = inflate(stream, Z_NO_FLUSH);
        if (rc == Z_STREAM_END) {
            gzip->between = true;
            rc = Z_OK;
        }
    }
    *in = stream->next_in;
    *in_len = stream->avail_in;
    *ended = gzip->between;
    return rc == Z_OK || rc == Z_BUF_ERROR ? (ssize_t)(room - stream->avail_out) : -1;
}

static void gzip_end(void *state)
{
    struct gzip *gzip = state;

    inflateEnd(&gzip->stream);
    free(gzip);
}

const struct cg__coding cg__http_decoder_gzip = {
    .name = "gzip",
    .begin = gzip_begin,
    .decode = gzip_decode,
    .end = gzip_end,
};

const struct cg__coding cg__http_decoder_deflate = {
    .name = "deflate",
    .begin = deflate_begin,
    .decode = gzip_decode,
    .end = gzip_end,
};
