/* SPDX-License-Identifier: MIT */
/* brotli by libbrotlienc. */
#include "config.h"

#include "http/coding/encoder.h"

#include <brotli/encode.h>
#include <errno.h>
#include <stdint.h>

enum { LEVEL = 3, WINDOW = 16, WHOLE_LEVEL = 4 };

static bool set_up(BrotliEncoderState *state, size_t whole)
{
    if (whole > 0)
        return BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, WHOLE_LEVEL) &&
               BrotliEncoderSetParameter(state, BROTLI_PARAM_MODE, BROTLI_MODE_TEXT);
    return BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, LEVEL) &&
           BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, WINDOW) &&
           BrotliEncoderSetParameter(state, BROTLI_PARAM_LGBLOCK, WINDOW);
}

static void *brotli_begin(size_t whole)
{
    BrotliEncoderState *state = BrotliEncoderCreateInstance(NULL, NULL, NULL);

    if (state == NULL || set_up(state, whole))
        return state;
    BrotliEncoderDestroyInstance(state);
    return NULL;
}

static ssize_t brotli_encode(void *state, enum cg__http_encode how, const char **data,
                             size_t *size, char *out, size_t room, bool *again)
{
    static const BrotliEncoderOperation ops[] = {
        BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH, BROTLI_OPERATION_FINISH};
    const uint8_t *in = (const uint8_t *)*data;
    uint8_t *to = (uint8_t *)out;
    size_t left = room;

    if (!BrotliEncoderCompressStream(state, ops[how], size, &in, &left, &to, NULL))
        return -ENOMEM;
    *data = (const char *)in;
    *again = *size > 0 || BrotliEncoderHasMoreOutput(state);
    return (ssize_t)(room - left);
}

static void brotli_end(void *state)
{
    BrotliEncoderDestroyInstance(state);
}

const struct cg__encoding cg__http_encoder_brotli = {
    .begin = brotli_begin,
    .encode = brotli_encode,
    .end = brotli_end,
};
