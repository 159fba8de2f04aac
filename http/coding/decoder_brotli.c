/* SPDX-License-Identifier: MIT */
/* brotli by libbrotlidec. */
#include "config.h"

#include "http/coding/decoder.h"

#include <brotli/decode.h>

static void *brotli_begin(void)
{
    return BrotliDecoderCreateInstance(NULL, NULL, NULL);
}

static ssize_t brotli_decode(void *state, const uint8_t **in, size_t *in_len,
                             uint8_t *out, size_t out_len, bool *ended)
{
    size_t room = out_len;
    BrotliDecoderResult rc =
        BrotliDecoderDecompressStream(state, in_len, in, &room, &out, NULL);

    *ended = rc == BROTLI_DECODER_RESULT_SUCCESS;
    return rc == BROTLI_DECODER_RESULT_ERROR ? -1 : (ssize_t)(out_len - room);
}

static void brotli_end(void *state)
{
    BrotliDecoderDestroyInstance(state);
}

const struct cg__coding cg__http_decoder_brotli = {
    .name = "br",
    .begin = brotli_begin,
    .decode = brotli_decode,
    .end = brotli_end,
};
