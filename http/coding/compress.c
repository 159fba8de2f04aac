/* SPDX-License-Identifier: MIT */
/* Compresses texts in memory by a content coding; which types are worth compressing. */
#include "config.h"

#include "http/coding/compress.h"
#include "http/coding/encoder.h"
#include "lib/base/ascii.h"

#include <cogen.h>
#include <stdlib.h>
#include <string.h>

/* zstd compresses as well as gzip, and nearly as well as brotli, in a third of the time. */
const enum cg__http_coding cg__http_compress_whole[] = {
#ifdef HAVE_ZSTD
    CG__HTTP_ZSTD,
#endif
#ifdef HAVE_BROTLI
    CG__HTTP_BR,
#endif
#ifdef HAVE_ZLIB
    CG__HTTP_GZIP,
#endif
    CG__HTTP_IDENTITY,
};
const enum cg__http_coding cg__http_compress_pieces[] = {
#ifdef HAVE_ZSTD
    CG__HTTP_ZSTD,
#endif
#ifdef HAVE_ZLIB
    CG__HTTP_GZIP,
#endif
    CG__HTTP_IDENTITY,
};
const enum cg__http_coding cg__http_compress_otherwise[] = {
#ifdef HAVE_BROTLI
    CG__HTTP_BR,
#endif
    CG__HTTP_IDENTITY,
};

const char *cg__http_coding_name(enum cg__http_coding coding)
{
    static const char *const names[] = {
        [CG__HTTP_IDENTITY] = "identity",
        [CG__HTTP_GZIP] = "gzip",
        [CG__HTTP_BR] = "br",
        [CG__HTTP_ZSTD] = "zstd",
    };

    return names[coding];
}

bool cg__http_compress_is_text(const char *type)
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

/* Encodes a piece and appends the output. False: there is no room, or no memory. */
static bool compress_piece(struct cg__http_encoder *encoder, enum cg__http_encode how,
                           const char *data, size_t size, char *to, size_t room, size_t *used)
{
    bool again = true;

    while (again) {
        const char *out;
        ssize_t made = cg__http_encoder_add(encoder, how, &data, &size, &out, &again);

        if (made < 0 || (size_t)made > room - *used)
            return false;
        memcpy(to + *used, out, (size_t)made);
        *used += (size_t)made;
    }
    return true;
}

static ssize_t compress_all(struct cg__http_encoder *encoder, const char *data, size_t size,
                            char *to)
{
    size_t room = size, used = 0; /* a longer output would be useless */

    for (; size > CG__HTTP_TURN; size -= CG__HTTP_TURN, data += CG__HTTP_TURN) {
        ssize_t n;

        if (!compress_piece(encoder, CG__HTTP_GATHER, data, CG__HTTP_TURN, to, room, &used))
            return 0;
        if ((n = cg_yield(cg_sleep(0))) < 0)
            return n;
    }
    return compress_piece(encoder, CG__HTTP_FINISH, data, size, to, room, &used)
               ? (ssize_t)used
               : 0;
}

ssize_t cg__http_compress(enum cg__http_coding coding, const void *data, size_t size,
                          void **out)
{
    struct cg__http_encoder *encoder = cg__http_encoder_new(coding, size);
    ssize_t n = 0;

    *out = malloc(size);
    if (encoder != NULL && *out != NULL)
        n = compress_all(encoder, data, size, *out);
    cg__http_encoder_free(encoder);
    if (n <= 0) {
        free(*out);
        *out = NULL;
    }
    return n;
}
