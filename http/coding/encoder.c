/* SPDX-License-Identifier: MIT */
/* See encoder.h. The levels prefer speed to size, since bodies are compressed at each request.
 * Streams have small windows, since many may be open at the same time. */
#include "config.h"

#include "http/coding/encoder.h"

#include <stdlib.h>

static const struct cg__encoding *const encodings[CG__HTTP_CODINGS] = {
    [CG__HTTP_IDENTITY] = NULL,
#ifdef HAVE_ZLIB
    [CG__HTTP_GZIP] = &cg__http_encoder_gzip,
#endif
#ifdef HAVE_BROTLI
    [CG__HTTP_BR] = &cg__http_encoder_brotli,
#endif
#ifdef HAVE_ZSTD
    [CG__HTTP_ZSTD] = &cg__http_encoder_zstd,
#endif
};

struct cg__http_encoder {
    const struct cg__encoding *encoding;
    void *state;
    char out[CG__HTTP_ENCODED];
};

struct cg__http_encoder *cg__http_encoder_new(enum cg__http_coding coding, size_t whole)
{
    const struct cg__encoding *encoding = encodings[coding];
    struct cg__http_encoder *encoder = encoding != NULL ? malloc(sizeof *encoder) : NULL;

    if (encoder == NULL)
        return NULL;
    encoder->encoding = encoding;
    encoder->state = encoding->begin(whole);
    if (encoder->state != NULL)
        return encoder;
    free(encoder);
    return NULL;
}

void cg__http_encoder_free(struct cg__http_encoder *encoder)
{
    if (encoder == NULL)
        return;
    encoder->encoding->end(encoder->state);
    free(encoder);
}

ssize_t cg__http_encoder_add(struct cg__http_encoder *encoder, enum cg__http_encode how,
                             const char **data, size_t *size, const char **out,
                             bool *again)
{
    *out = encoder->out;
    return encoder->encoding->encode(encoder->state, how, data, size, encoder->out,
                                     sizeof encoder->out, again);
}
