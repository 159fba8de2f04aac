/* SPDX-License-Identifier: MIT */
/* permessage-deflate by zlib. A message is a raw deflate stream that ends with an empty
 * stored block, whose last four bytes (00 00 ff ff) are not sent. */
#include "config.h"

#include "http/ws/ws_deflate.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    TAIL = 4,          /* bytes that are not sent */
    ROOM = 16,         /* for the empty block and the bits before it */
    MEMORY_LEVEL = 8,  /* zlib's default */
    LEAST_WINDOW = 9,  /* zlib compresses with no smaller one */
};

struct cg__ws_deflate {
    struct cg__ws_params params;
    z_stream out, in;
    bool has_out, has_in;
};

bool cg__http_ws_deflate_can(void)
{
    return true;
}

struct cg__ws_deflate *cg__http_ws_deflate_new(const struct cg__ws_params *params)
{
    struct cg__ws_deflate *codec = calloc(1, sizeof *codec);

    if (codec != NULL)
        codec->params = *params;
    return codec;
}

static void end_out(struct cg__ws_deflate *codec)
{
    if (codec->has_out)
        deflateEnd(&codec->out);
    codec->has_out = false;
}

static void end_in(struct cg__ws_deflate *codec)
{
    if (codec->has_in)
        inflateEnd(&codec->in);
    codec->has_in = false;
}

void cg__http_ws_deflate_free(struct cg__ws_deflate *codec)
{
    if (codec == NULL)
        return;
    end_out(codec);
    end_in(codec);
    free(codec);
}

static bool begin_out(struct cg__ws_deflate *codec)
{
    int bits = (int)codec->params.bits_out;

    if (!codec->has_out) {
        codec->out = (z_stream){.zalloc = NULL};
        codec->has_out =
            deflateInit2(&codec->out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -bits,
                         bits < MEMORY_LEVEL + 7 ? bits - 6 : MEMORY_LEVEL,
                         Z_DEFAULT_STRATEGY) == Z_OK;
    }
    return codec->has_out;
}

/* deflateBound is for one deflate to the end; a flush adds an empty block. */
ssize_t cg__http_ws_deflate_pack(struct cg__ws_deflate *codec, const char *data,
                                 size_t len, char **packed)
{
    z_stream *out = &codec->out;
    size_t size;

    *packed = NULL;
    if (codec->params.bits_out < LEAST_WINDOW || len == 0 || len > INT_MAX)
        return 0;
    if (!begin_out(codec))
        return -ENOMEM;
    size = deflateBound(out, len) + ROOM;
    *packed = malloc(size);
    if (*packed == NULL)
        return -ENOMEM;
    out->next_in = (Bytef *)(uintptr_t)data;
    out->avail_in = (uInt)len;
    out->next_out = (Bytef *)*packed;
    out->avail_out = (uInt)size;
    if (deflate(out, Z_SYNC_FLUSH) != Z_OK || out->avail_in > 0 || out->avail_out == 0) {
        free(*packed);
        end_out(codec);
        return -ENOMEM; /* cannot be: the room suffices */
    }
    size -= out->avail_out + TAIL;
    if (codec->params.reset_out)
        end_out(codec); /* an idle connection keeps no window */
    return (ssize_t)size;
}

static bool begin_in(struct cg__ws_deflate *codec)
{
    if (!codec->has_in) {
        codec->in = (z_stream){.zalloc = NULL};
        codec->has_in = inflateInit2(&codec->in, -(int)codec->params.bits_in) == Z_OK;
    }
    return codec->has_in;
}

/* A peer may end a message with a final block (RFC 7692, 7.2.3.4), after which zlib needs a
 * reset. The window stays, since later messages may refer to it. */
static int go_on_after_end(z_stream *in)
{
    Bytef *window = malloc(1 << MAX_WBITS);
    uInt len = 0;
    int rc = -ENOMEM;

    if (window != NULL && inflateGetDictionary(in, window, &len) == Z_OK &&
        inflateReset(in) == Z_OK)
        rc = len == 0 || inflateSetDictionary(in, window, len) == Z_OK ? 0 : -EILSEQ;
    free(window);
    return rc;
}

ssize_t cg__http_ws_deflate_unpack(struct cg__ws_deflate *codec, const char **data,
                                   size_t *len, char *out, size_t size)
{
    z_stream *in = &codec->in;
    uInt taken = *len < INT_MAX ? (uInt)*len : INT_MAX;
    uInt room = size < INT_MAX ? (uInt)size : INT_MAX;
    int rc = Z_OK;

    if (!begin_in(codec))
        return -ENOMEM;
    in->next_in = (Bytef *)(uintptr_t)*data;
    in->avail_in = taken;
    in->next_out = (Bytef *)out;
    in->avail_out = room;
    while (rc == Z_OK && in->avail_out > 0) {
        rc = inflate(in, Z_SYNC_FLUSH);
        if (rc == Z_STREAM_END) {
            rc = go_on_after_end(in);
            if (rc < 0)
                return rc;
        }
        if (in->avail_in == 0 && in->avail_out > 0)
            break;
    }
    *data += taken - in->avail_in;
    *len -= taken - in->avail_in;
    if (rc == Z_MEM_ERROR)
        return -ENOMEM;
    return rc == Z_OK || rc == Z_BUF_ERROR ? (ssize_t)(room - in->avail_out) : -EILSEQ;
}

/* A message must end within the head of an empty stored block, where the bytes that were
 * not sent are missing (inflateSyncPoint). They are given to zlib nevertheless, so that it
 * expects a new block. */
int cg__http_ws_deflate_end(struct cg__ws_deflate *codec)
{
    static Bytef tail[TAIL] = {0, 0, 0xff, 0xff};
    z_stream *in = &codec->in;
    Bytef none;

    if (!begin_in(codec))
        return -ENOMEM;
    if (inflateSyncPoint(in) != 1)
        return -EILSEQ;
    in->next_in = tail;
    in->avail_in = TAIL;
    in->next_out = &none;
    in->avail_out = sizeof none;
    if (inflate(in, Z_SYNC_FLUSH) != Z_OK || in->avail_in > 0)
        return -EILSEQ;
    if (codec->params.reset_in)
        end_in(codec);
    return 0;
}
