/* SPDX-License-Identifier: MIT */
/* See decoder.h. Chooses the coding, buffers the input, and checks the ratio. */
#include "config.h"

#include "http/coding/decoder.h"
#include "lib/base/ascii.h"

#include <cogen/http_client.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct cg__coding *const codings[] = {
#ifdef HAVE_ZLIB
    &cg__http_decoder_gzip,
    &cg__http_decoder_deflate,
#endif
#ifdef HAVE_BROTLI
    &cg__http_decoder_brotli,
#endif
#ifdef HAVE_ZSTD
    &cg__http_decoder_zstd,
#endif
    NULL,
};

/* The names of the codings; each has a comma and a blank before it. */
static const char accepted[] = ""
#ifdef HAVE_ZLIB
                               ", gzip, deflate"
#endif
#ifdef HAVE_BROTLI
                               ", br"
#endif
#ifdef HAVE_ZSTD
                               ", zstd"
#endif
    ;

struct cg__decoder {
    const struct cg__coding *coding;
    void *state;
    const uint8_t *at;
    size_t left; /* of the input */
    uint64_t taken, made;
    bool ended;
    bool over; /* bytes after the end were no further stream: all that follow are ignored, too */
    bool broken;
    uint8_t input[CG__DECODE_INPUT];
};

const char *cg__http_decoder_accept(void)
{
    return accepted[0] != '\0' ? accepted + 2 : accepted;
}

static const struct cg__coding *find(const char *name, size_t len)
{
    if (len > 2 && cg__ascii_same(name, "x-", 2))
        name += 2, len -= 2;
    for (size_t i = 0; codings[i]; i++)
        if (strlen(codings[i]->name) == len &&
            cg__ascii_same(codings[i]->name, name, len))
            return codings[i];
    return NULL;
}

int cg__http_decoder_new(struct cg__decoder **decoder, const char *text)
{
    size_t len = strcspn(text, ", \t");
    const struct cg__coding *coding = find(text, len);

    if (coding == NULL || text[len + strspn(text + len, ", \t")] != '\0')
        return -EOPNOTSUPP;
    *decoder = malloc(sizeof **decoder);
    if (*decoder == NULL)
        return -ENOMEM;
    (*decoder)->coding = coding;
    (*decoder)->left = 0;
    (*decoder)->taken = (*decoder)->made = 0;
    (*decoder)->ended = (*decoder)->over = (*decoder)->broken = false;
    (*decoder)->state = coding->begin();
    if ((*decoder)->state != NULL)
        return 0;
    free(*decoder);
    *decoder = NULL;
    return -ENOMEM;
}

void cg__http_decoder_free(struct cg__decoder *decoder)
{
    if (decoder == NULL)
        return;
    decoder->coding->end(decoder->state);
    free(decoder);
}

void cg__http_decoder_give(struct cg__decoder *decoder, const void *data, size_t size)
{
    assert(decoder->left == 0 && size <= sizeof decoder->input);
    memcpy(decoder->input, data, size);
    decoder->at = decoder->input;
    decoder->left = size;
    decoder->taken += size;
}

/* Called also without input: a decoder may have output for which there was no room. */
ssize_t cg__http_decoder_read(struct cg__decoder *decoder, void *buf, size_t len)
{
    ssize_t n = 0;

    if (decoder->broken)
        return CG_EHTTP_CODING;
    if (decoder->taken > 0 && !decoder->over)
        n = decoder->coding->decode(decoder->state, &decoder->at, &decoder->left, buf,
                                    len, &decoder->ended);
    if (n == 0 && decoder->ended && decoder->left > 0) {
        decoder->over = true;
        decoder->left = 0;
    }
    if (n > 0)
        decoder->made += (uint64_t)n;
    if (n < 0 || (n == 0 && decoder->left > 0) ||
        (decoder->made > CG__DECODE_FREE &&
         decoder->made / CG__DECODE_RATIO > decoder->taken)) {
        decoder->broken = true;
        return CG_EHTTP_CODING;
    }
    return n;
}

bool cg__http_decoder_is_complete(const struct cg__decoder *decoder)
{
    return decoder->ended || decoder->taken == 0;
}
