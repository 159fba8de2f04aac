/* SPDX-License-Identifier: MIT */
/* The decoders of deflate and zstd, and the encoder of zstd, as far as the library was built with
 * them. */
#include "config.h"

#include "http/coding/decoder.h"
#include "http/coding/encoder.h"
#include "tests/support/must.h"
#include "tests/support/support.h"

#include <cogen/http_client.h>
#include <errno.h>
#ifdef HAVE_ZSTD
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "hello, 0 hello, 1 ... hello, 19 " in the format of zlib, as a bare stream of deflate, and
 * as a frame of zstd. */
static const unsigned char zlib[] = {
    0x78, 0x9c, 0x45, 0xcd, 0xbb, 0x0d, 0x80, 0x30, 0x14, 0xc5, 0xd0, 0x55, 0xde, 0x00,
    0x14, 0x98, 0x7f, 0x06, 0x42, 0x4a, 0x11, 0x89, 0xfd, 0x3b, 0x0a, 0x74, 0x4d, 0x77,
    0x2a, 0xbb, 0xdf, 0x63, 0x3c, 0x53, 0xcd, 0xd5, 0x3f, 0x10, 0x2c, 0xc1, 0x1a, 0x6c,
    0xc1, 0x1e, 0x1c, 0xc1, 0x19, 0x5c, 0x41, 0x33, 0xf8, 0xa7, 0x6d, 0x63, 0x1c, 0xeb,
    0x98, 0xc7, 0x3e, 0x0e, 0xf0, 0x80, 0x0b, 0x5a, 0xbd, 0x4a, 0xa5, 0x38, 0x05,
};
static const unsigned char bare[] = {
    0x45, 0xcd, 0xbb, 0x0d, 0x80, 0x30, 0x14, 0xc5, 0xd0, 0x55, 0xde, 0x00, 0x14, 0x98,
    0x7f, 0x06, 0x42, 0x4a, 0x11, 0x89, 0xfd, 0x3b, 0x0a, 0x74, 0x4d, 0x77, 0x2a, 0xbb,
    0xdf, 0x63, 0x3c, 0x53, 0xcd, 0xd5, 0x3f, 0x10, 0x2c, 0xc1, 0x1a, 0x6c, 0xc1, 0x1e,
    0x1c, 0xc1, 0x19, 0x5c, 0x41, 0x33, 0xf8, 0xa7, 0x6d, 0x63, 0x1c, 0xeb, 0x98, 0xc7,
    0x3e, 0x0e, 0xf0, 0x80, 0x0b, 0x5a, 0xbd,
};
static const unsigned char zstd[] = {
    0x28, 0xb5, 0x2f, 0xfd, 0x20, 0xbe, 0x4d, 0x02, 0x00, 0xe8, 0x68, 0x65, 0x6c, 0x6c,
    0x6f, 0x2c, 0x20, 0x30, 0x20, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39,
    0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x31, 0x39, 0x20, 0x13, 0x00, 0x66,
    0x14, 0x29, 0xa3, 0x1c, 0x19, 0x85, 0x8d, 0x51, 0x44, 0x8c, 0x72, 0x61, 0x14, 0x06,
    0x46, 0x91, 0x2f, 0x0a, 0x78, 0x61, 0x1f, 0x20, 0x0c, 0x10, 0x01, 0xe4, 0x00, 0x61,
    0x80, 0x08, 0x20, 0x07, 0x08, 0x03, 0x44, 0x00, 0xb9, 0xcc, 0xca, 0x11,
};

static const struct {
    const char *coding;
    const unsigned char *data;
    size_t len;
} streams[] = {
    {"deflate", zlib, sizeof zlib},
    {"deflate", bare, sizeof bare},
    {"zstd", zstd, sizeof zstd},
};

static const char *plain(void)
{
    static char text[256];
    char *to = text;

    for (int i = 0; i < 20; i++)
        to += sprintf(to, "hello, %d ", i);
    return text;
}

static bool is_known(const char *coding)
{
    bool known = strstr(cg__http_decoder_accept(), coding) != NULL;

    if (!known)
        printf("SKIP %s: built without it\n", coding);
    return known;
}

/* Decodes with pieces of input and output that are so large. Returns the length, or an error
 * code; *complete tells whether the stream was. */
static ssize_t decode(const char *coding, const unsigned char *data, size_t len, size_t piece,
                      char *out, size_t room, bool *complete)
{
    struct cg__decoder *decoder;
    size_t made = 0;
    ssize_t n = 0;

    OK(cg__http_decoder_new(&decoder, coding));
    while (n > 0 || (n == 0 && len > 0)) {
        size_t left = room - made, some = len < piece ? len : piece;

        n = cg__http_decoder_read(decoder, out + made, piece < left ? piece : left);
        made += n > 0 ? (size_t)n : 0;
        if (n == 0) {
            cg__http_decoder_give(decoder, data, some);
            data += some;
            len -= some;
            n = cg__http_decoder_read(decoder, out + made, left < piece ? left : piece);
            made += n > 0 ? (size_t)n : 0;
        }
    }
    *complete = cg__http_decoder_is_complete(decoder);
    cg__http_decoder_free(decoder);
    return n < 0 ? n : (ssize_t)made;
}

/* However the bytes are cut, the text is the same. A truncated stream is not complete. */
START_TEST(decodes)
{
    const char *text = plain();
    char out[1024];
    bool complete;

    for (size_t i = 0; i < COUNT(streams); i++) {
        const char *coding = streams[i].coding;

        for (size_t piece = 1; piece < 250 && is_known(coding); piece++)
            for (size_t len = 1; len <= streams[i].len; len++) {
                ssize_t n = decode(coding, streams[i].data, len, piece, out, sizeof out,
                                   &complete);

                MUST(n >= 0 && complete == (len == streams[i].len), "%zu: %zu bytes, %zd", i,
                     len, n);
                MUST(memcmp(out, text, (size_t)n) == 0, "%zu: another text", i);
                MUST(!complete || (size_t)n == strlen(text), "%zu: the wrong length", i);
            }
    }
}
END_TEST

/* A stream with a wrong byte is refused, or yields bytes within the room; nothing else. */
START_TEST(survives_wrong_bytes)
{
    unsigned char copy[256];
    char out[4096];
    bool complete;

    for (size_t i = 0; i < COUNT(streams); i++)
        for (size_t at = 0; at < streams[i].len && is_known(streams[i].coding); at++)
            for (unsigned bit = 0; bit < 8; bit++) {
                ssize_t n;

                memcpy(copy, streams[i].data, streams[i].len);
                copy[at] ^= (unsigned char)(1u << bit);
                n = decode(streams[i].coding, copy, streams[i].len, 512, out, sizeof out,
                           &complete);
                MUST(n >= 0 || n == CG_EHTTP_CODING, "%zu, byte %zu: %zd", i, at, n);
            }
}
END_TEST

/* What follows a stream of deflate is ignored; frames of zstd follow each other, and what is
 * none is refused. */
START_TEST(goes_on_after_the_end)
{
    unsigned char twice[2 * sizeof zstd + 1];
    char out[1024];
    bool complete;
    ssize_t len = (ssize_t)strlen(plain());

    memcpy(twice, zlib, sizeof zlib);
    memset(twice + sizeof zlib, 'x', 10);
    if (is_known("deflate")) {
        IS(decode("deflate", twice, sizeof zlib + 10, 300, out, sizeof out, &complete), len);
        ck_assert(complete);
    }
    memcpy(twice, zstd, sizeof zstd);
    memcpy(twice + sizeof zstd, zstd, sizeof zstd);
    twice[2 * sizeof zstd] = 'x';
    if (is_known("zstd")) {
        IS(decode("zstd", twice, 2 * sizeof zstd, 300, out, sizeof out, &complete), 2 * len);
        ck_assert(complete);
        decode("zstd", twice, 2 * sizeof zstd + 1, 300, out, sizeof out, &complete);
        ck_assert(!complete);
    }
}
END_TEST

/* A frame whose blocks have 128 KiB in 4 bytes is refused soon, and so is one that wants a
 * window above 8 MiB. */
START_TEST(refuses_bombs)
{
    static unsigned char bomb[2048] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38};
    static char out[8 * 1024 * 1024];
    bool complete;

    for (size_t i = 6; i + 4 <= sizeof bomb; i += 4) /* blocks of one byte, repeated */
        memcpy(bomb + i, "\x02\x00\x10x", 4);
    if (!is_known("zstd"))
        return;
    IS(decode("zstd", bomb, sizeof bomb, 2048, out, sizeof out, &complete), CG_EHTTP_CODING);
    bomb[5] = 0x68; /* 8 MiB */
    IS(decode("zstd", bomb, 10, 4096, out, sizeof out, &complete), 128 * 1024);
    bomb[5] = 0x70;
    IS(decode("zstd", bomb, 10, 4096, out, sizeof out, &complete), CG_EHTTP_CODING);
}
END_TEST

#ifdef HAVE_ZSTD

static int left; /* allocations that succeed */

static void *allocate(void *arg, size_t size)
{
    (void)arg;
    return left-- > 0 ? malloc(size) : NULL;
}

static void release(void *arg, void *memory)
{
    (void)arg;
    free(memory);
}

/* A text that zstd cannot encode for lack of memory is not taken for complete. */
START_TEST(tells_that_memory_is_lacking)
{
    ssize_t n = -ENOMEM;

    for (int count = 1; n == -ENOMEM; count++) {
        const char *data = plain();
        size_t size = strlen(data);
        ZSTD_CCtx *state;
        char out[CG__HTTP_ENCODED];
        bool again;

        left = count;
        state = ZSTD_createCCtx_advanced((ZSTD_customMem){allocate, release, NULL});
        ck_assert_ptr_nonnull(state);
        n = cg__http_encoder_zstd.encode(state, CG__HTTP_FINISH, &data, &size, out, sizeof out,
                                           &again);
        ck_assert(left >= 0 || n == -ENOMEM);
        ck_assert(count > 1 || n == -ENOMEM);
        cg__http_encoder_zstd.end(state);
    }
    ck_assert_int_gt(n, 0);
}
END_TEST

#endif

int main(void)
{
    Suite *suite = suite_create("http_decoder");
    TCase *tcase = tcase_create("http_decoder");

    tcase_add_test(tcase, decodes);
    tcase_add_test(tcase, survives_wrong_bytes);
    tcase_add_test(tcase, goes_on_after_the_end);
    tcase_add_test(tcase, refuses_bombs);
#ifdef HAVE_ZSTD
    tcase_add_test(tcase, tells_that_memory_is_lacking);
#endif
    suite_add_tcase(suite, tcase);
    return check_main(suite, NULL);
}
