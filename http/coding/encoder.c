/* SPDX-License-Identifier: MIT */
/* Compression by gzip and brotli. Streams have small windows, since many may be open at
 * the same time. */
#include "config.h"

#include "http/coding/encoder.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_BROTLI
#include <brotli/encode.h>
#endif

/* The levels prefer speed to size, since bodies are compressed at each request. Windows
 * are in powers of two; gzip needs four times its window, plus 512 bytes times two to
 * the power of its memory level. The second line is for bodies that are compressed as a
 * whole. */
enum { LEVEL_GZIP = 5, WINDOW_GZIP = 13, MEMORY_GZIP = 6, LEVEL_BR = 3, WINDOW_BR = 16 };
enum { WHOLE_WINDOW_GZIP = 15, WHOLE_MEMORY_GZIP = 8, WHOLE_LEVEL_BR = 4 };

struct cg__http_encoder {
    bool brotli;
#ifdef HAVE_ZLIB
    z_stream gzip;
#endif
#ifdef HAVE_BROTLI
    BrotliEncoderState *br;
#endif
    char out[CG__HTTP_ENCODED];
};

static bool gzip_begin(struct cg__http_encoder *encoder, bool whole)
{
#ifdef HAVE_ZLIB
    int window = whole ? WHOLE_WINDOW_GZIP : WINDOW_GZIP;

    encoder->gzip = (z_stream){.next_in = NULL};
    return deflateInit2(&encoder->gzip, LEVEL_GZIP, Z_DEFLATED, window + 16,
                        whole ? WHOLE_MEMORY_GZIP : MEMORY_GZIP,
                        Z_DEFAULT_STRATEGY) == Z_OK;
#else
    (void)encoder, (void)whole;
    return false;
#endif
}

static size_t gzip(struct cg__http_encoder *encoder, enum cg__http_encode how,
                   const char **data, size_t *size, bool *again)
{
#ifdef HAVE_ZLIB
    static const int flushes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
    z_stream *stream = &encoder->gzip;
    uInt given = *size < UINT_MAX ? (uInt)*size : UINT_MAX;

    stream->next_in = (void *)*data;
    stream->avail_in = given;
    stream->next_out = (void *)encoder->out;
    stream->avail_out = sizeof encoder->out;
    deflate(stream, given < *size ? Z_NO_FLUSH : flushes[how]);
    *data += given - stream->avail_in;
    *size -= given - stream->avail_in;
    *again = stream->avail_out == 0 || *size > 0; /* room left: deflate is done */
    return sizeof encoder->out - stream->avail_out;
#else
    (void)encoder, (void)how, (void)data, (void)size;
    *again = false;
    return 0;
#endif
}

static bool brotli_begin(struct cg__http_encoder *encoder, bool whole)
{
#ifdef HAVE_BROTLI
    encoder->br = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    if (encoder->br != NULL && whole)
        return BrotliEncoderSetParameter(encoder->br, BROTLI_PARAM_QUALITY, WHOLE_LEVEL_BR) &&
               BrotliEncoderSetParameter(encoder->br, BROTLI_PARAM_MODE, BROTLI_MODE_TEXT);
    return encoder->br != NULL &&
           BrotliEncoderSetParameter(encoder->br, BROTLI_PARAM_QUALITY, LEVEL_BR) &&
           BrotliEncoderSetParameter(encoder->br, BROTLI_PARAM_LGWIN, WINDOW_BR) &&
           BrotliEncoderSetParameter(encoder->br, BROTLI_PARAM_LGBLOCK, WINDOW_BR);
#else
    (void)encoder, (void)whole;
    return false;
#endif
}

/* If there is no memory, the stream ends here; the client sees that the body is not
 * complete. */
static size_t brotli(struct cg__http_encoder *encoder, enum cg__http_encode how,
                     const char **data, size_t *size, bool *again)
{
#ifdef HAVE_BROTLI
    static const BrotliEncoderOperation ops[] = {
        BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH, BROTLI_OPERATION_FINISH};
    size_t room = sizeof encoder->out;
    const uint8_t *in = (const uint8_t *)*data;
    uint8_t *out = (uint8_t *)encoder->out;

    if (!BrotliEncoderCompressStream(encoder->br, ops[how], size, &in, &room, &out, NULL))
        *size = 0;
    *data = (const char *)in;
    *again = *size > 0 || BrotliEncoderHasMoreOutput(encoder->br);
    return sizeof encoder->out - room;
#else
    (void)encoder, (void)how, (void)data, (void)size;
    *again = false;
    return 0;
#endif
}

struct cg__http_encoder *cg__http_encoder_new(bool is_brotli, bool whole)
{
    struct cg__http_encoder *encoder = malloc(sizeof *encoder);

    if (encoder == NULL)
        return NULL;
    encoder->brotli = is_brotli;
    if (is_brotli ? brotli_begin(encoder, whole) : gzip_begin(encoder, whole))
        return encoder;
    cg__http_encoder_free(encoder);
    return NULL;
}

void cg__http_encoder_free(struct cg__http_encoder *encoder)
{
    if (encoder == NULL)
        return;
#ifdef HAVE_ZLIB
    if (!encoder->brotli)
        deflateEnd(&encoder->gzip);
#endif
#ifdef HAVE_BROTLI
    if (encoder->brotli && encoder->br != NULL)
        BrotliEncoderDestroyInstance(encoder->br);
#endif
    free(encoder);
}

size_t cg__http_encoder_add(struct cg__http_encoder *encoder, enum cg__http_encode how,
                            const char **data, size_t *size, const char **out,
                            bool *again)
{
    *out = encoder->out;
    return encoder->brotli ? brotli(encoder, how, data, size, again)
                           : gzip(encoder, how, data, size, again);
}
