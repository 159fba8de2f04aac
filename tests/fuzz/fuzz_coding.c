/* SPDX-License-Identifier: MIT */
/* Content codings. The first byte chooses one: the rest is a coded body, which has the same meaning
 * in pieces; and it is a text, which each encoder codes so that it is decoded to the same again. */
#include "config.h"

#include "http/coding/compress.h"
#include "http/coding/decoder.h"
#include "http/coding/encoder.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>

/* Longer decoded bodies are not compared: whether their ratio is refused depends on the pieces. */
enum { MOST = 256 * 1024 };

static const char *const names[] = {"gzip", "deflate", "br", "zstd"};

/* Decodes a body; the end of the text says how it went. Of an invalid one nothing else is
 * told, since output before the fault may get lost. *too_long: it was not decoded to its end. */
static struct fuzz_told decoded(const char *name, const uint8_t *data, size_t size,
                                enum fuzz_cuts cuts, bool *too_long)
{
    struct fuzz_told told;
    struct cg__decoder *decoder;
    char out[3000];
    uint32_t state = 1;
    size_t made = 0;
    ssize_t n = cg__http_decoder_new(&decoder, name);

    fuzz_tell(&told);
    while (n == 0) {
        size_t piece;
        char *copy;

        while ((n = cg__http_decoder_read(decoder, out, sizeof out)) > 0 && made < MOST) {
            made += (size_t)n;
            fwrite(out, 1, (size_t)n, told.file);
        }
        if (n != 0 || size == 0)
            break;
        piece = fuzz_piece(cuts, data, size, &state);
        piece = piece < CG__DECODE_INPUT ? piece : CG__DECODE_INPUT;
        copy = fuzz_copy(data, piece);
        cg__http_decoder_give(decoder, copy, piece);
        free(copy);
        data += piece;
        size -= piece;
    }
    if (n < 0)
        rewind(told.file);
    fprintf(told.file, "|%zd %d", n, n == 0 && cg__http_decoder_is_complete(decoder));
    if (n != -EOPNOTSUPP)
        cg__http_decoder_free(decoder);
    fclose(told.file);
    *too_long |= n > 0;
    return told;
}

static void check_decoder(const char *name, const uint8_t *data, size_t size)
{
    bool too_long = false;
    struct fuzz_told whole = decoded(name, data, size, FUZZ_WHOLE, &too_long), other;

    for (int cuts = FUZZ_BYTES; cuts < FUZZ_CUTS; cuts++) {
        other = decoded(name, data, size, (enum fuzz_cuts)cuts, &too_long);
        if (too_long)
            free(other.text);
        else
            fuzz_compare(&whole, &other);
    }
    free(whole.text);
}

/* Encodes a part of a text, all of it. */
static void encode(struct cg__http_encoder *encoder, enum cg__http_encode how, const char **at,
                   size_t size, FILE *to)
{
    const char *out;

    for (bool again = true; again;) {
        ssize_t n = cg__http_encoder_add(encoder, how, at, &size, &out, &again);

        MUST(n >= 0);
        fwrite(out, 1, (size_t)n, to);
    }
    MUST(size == 0);
}

/* A text in pieces, each of which may be flushed. */
static void check_encoder(enum cg__http_coding coding, const uint8_t *data, size_t size,
                          bool whole)
{
    struct cg__http_encoder *encoder = cg__http_encoder_new(coding, whole ? size : 0);
    struct fuzz_told coded, plain;
    const char *at = (const char *)data;
    uint32_t state = 1;
    bool too_long = false;

    if (encoder == NULL)
        return;
    fuzz_tell(&coded);
    for (size_t left = size, piece = 0; left > 0; left -= piece) {
        enum cg__http_encode how = state & 1 ? CG__HTTP_FLUSH : CG__HTTP_GATHER;

        piece = fuzz_piece(FUZZ_LONG, (const uint8_t *)at, left, &state);
        encode(encoder, how, &at, piece, coded.file);
    }
    encode(encoder, CG__HTTP_FINISH, &at, 0, coded.file);
    fclose(coded.file);
    cg__http_encoder_free(encoder);
    plain = decoded(cg__http_coding_name(coding), (uint8_t *)coded.text, coded.size, FUZZ_WHOLE,
                    &too_long);
    MUST(plain.size == size + 4 && memcmp(plain.text, data, size) == 0);
    MUST(memcmp(plain.text + size, "|0 1", 4) == 0);
    free(coded.text);
    free(plain.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    check_decoder(names[data[0] % COUNT(names)], data + 1, size - 1);
    for (int coding = CG__HTTP_GZIP; coding < CG__HTTP_CODINGS && size > 1; coding++) {
        check_encoder((enum cg__http_coding)coding, data + 1, size - 1, false);
        check_encoder((enum cg__http_coding)coding, data + 1, size - 1, true);
    }
    return 0;
}
