/* SPDX-License-Identifier: MIT */
/* Content codings: which one a client wants, and gzip and brotli of a text in memory. */
#include "config.h"

#include "http/server.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* ---- What the client wants ------------------------------------------------------- */

/* The weight of a word in a list, in thousandths: -1: it is not there. */
static int weight(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (;;) {
        const char *q;
        size_t size;

        list += strspn(list, ", \t");
        if (*list == '\0')
            return -1;
        size = strcspn(list, ",; \t");
        q = list + size;
        if (size == len && strncasecmp(list, word, len) == 0) {
            q += strspn(q, "; \t");
            return (q[0] | 32) == 'q' && q[1] == '=' ? (int)(atof(q + 2) * 1000) : 1000;
        }
        list += strcspn(list, ",");
    }
}

static int weight_or_any(const char *list, const char *word)
{
    int own = weight(list, word);

    return own < 0 ? weight(list, "*") : own;
}

enum cg__http_coding cg__http_accepts(const struct cg_http_request *req, bool gzip, bool br)
{
    const char *list = cg_http_headers_get(&req->in, "Accept-Encoding");
    int of_gzip, of_br;

    if (list == NULL)
        return CG__HTTP_IDENTITY;
    of_gzip = gzip ? weight_or_any(list, "gzip") : -1;
    of_br = br ? weight_or_any(list, "br") : -1;
    if (of_br > 0 && of_br >= of_gzip)
        return CG__HTTP_BR;
    return of_gzip > 0 ? CG__HTTP_GZIP : CG__HTTP_IDENTITY;
}

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

    if (type == NULL || strncasecmp(type, "text/event-stream", 17) == 0)
        return false;
    if (strncasecmp(type, "text/", 5) == 0)
        return true;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strncasecmp(type, types[i], strlen(types[i])) == 0)
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
