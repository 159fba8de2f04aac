/* SPDX-License-Identifier: MIT */
/* gzip by zlib. */
#include "config.h"

#include "http/coding/encoder.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

/* Windows are in powers of two. gzip needs four times its window, plus 512 bytes times two to
 * the power of its memory level. The second line is for bodies that are compressed as a
 * whole. */
enum { LEVEL = 5, WINDOW = 13, MEMORY = 6 };
enum { WHOLE_WINDOW = 15, WHOLE_MEMORY = 8 };

static void *gzip_begin(size_t whole)
{
    z_stream *stream = calloc(1, sizeof *stream);

    if (stream != NULL &&
        deflateInit2(stream, LEVEL, Z_DEFLATED, (whole > 0 ? WHOLE_WINDOW : WINDOW) + 16,
                     whole > 0 ? WHOLE_MEMORY : MEMORY, Z_DEFAULT_STRATEGY) == Z_OK)
        return stream;
    free(stream);
    return NULL;
}

static ssize_t gzip_encode(void *state, enum cg__http_encode how, const char **data, size_t *size,
                           char *out, size_t room, bool *again)
{
    static const int flushes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
    z_stream *stream = state;
    uInt given = *size < UINT_MAX ? (uInt)*size : UINT_MAX;

    stream->next_in = (void *)*data;
    stream->avail_in = given;
    stream->next_out = (void *)out;
    stream->avail_out = (uInt)room;
    deflate(stream, given < *size ? Z_NO_FLUSH : flushes[how]);
    *data += given - stream->avail_in;
    *size -= given - stream->avail_in;
    *again = stream->avail_out == 0 || *size > 0; /* room left: deflate is done */
    return (ssize_t)(room - stream->avail_out);
}

static void gzip_end(void *state)
{
    deflateEnd(state);
    free(state);
}

const struct cg__encoding cg__http_encoder_gzip = {
    .begin = gzip_begin,
    .encode = gzip_encode,
    .end = gzip_end,
};
