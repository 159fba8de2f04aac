/* SPDX-License-Identifier: MIT */
/* Content codings: gzip and brotli of a text in memory, and which types are worth it. */
#include "config.h"

#include "http/server.h"
#include "lib/ascii.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_BROTLI
#include <brotli/encode.h>
#endif

#ifdef HAVE_ZLIB
static const bool has_gzip = true;
#else
static const bool has_gzip = false;
#endif
#ifdef HAVE_BROTLI
static const bool has_br = true;
#else
static const bool has_br = false;
#endif

enum { LEVEL_GZIP = 5, LEVEL_BR = 4 }; /* each request pays for it: speed above size */

const char *cg__http_coding_name(enum cg__http_coding coding)
{
    return coding == CG__HTTP_BR ? "br" : coding == CG__HTTP_GZIP ? "gzip" : "identity";
}

bool cg__http_compressible(const char *type)
{
    static const char *const types[] = {
        "application/json", "application/javascript", "application/xml",
        "application/wasm", "application/manifest",   "image/svg+xml",
    };

    if (type == NULL || cg__ascii_begins(type, "text/event-stream"))
        return false;
    if (cg__ascii_begins(type, "text/"))
        return true;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (cg__ascii_begins(type, types[i]))
            return true;
    return false;
}

/* ---- The codings ----------------------------------------------------------------- */

static size_t gzip(const void *data, size_t size, void *out, size_t room)
{
#ifdef HAVE_ZLIB
    z_stream stream = {.next_in = (void *)data, .avail_in = (uInt)size,
                       .next_out = out, .avail_out = (uInt)room};
    int rc;

    if (size > UINT_MAX ||
        deflateInit2(&stream, LEVEL_GZIP, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    rc = deflate(&stream, Z_FINISH);
    room = stream.total_out;
    deflateEnd(&stream);
    return rc == Z_STREAM_END ? room : 0;
#else
    (void)data, (void)size, (void)out, (void)room;
    return 0;
#endif
}

static size_t br(const void *data, size_t size, void *out, size_t room)
{
#ifdef HAVE_BROTLI
    return BrotliEncoderCompress(LEVEL_BR, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, size, data,
                                 &room, out)
               ? room
               : 0;
#else
    (void)data, (void)size, (void)out, (void)room;
    return 0;
#endif
}

size_t cg__http_compress(enum cg__http_coding coding, const void *data, size_t size,
                         void **out)
{
    size_t n = 0;

    *out = malloc(size); /* more would be no gain */
    if (*out == NULL)
        return 0;
    if (coding == CG__HTTP_BR)
        n = br(data, size, *out, size);
    else if (coding == CG__HTTP_GZIP)
        n = gzip(data, size, *out, size);
    if (n == 0) {
        free(*out);
        *out = NULL;
    }
    return n;
}

bool cg__http_can(enum cg__http_coding coding)
{
    return coding == CG__HTTP_BR ? has_br : has_gzip;
}
