/* SPDX-License-Identifier: MIT */
/* Decodes compressed bodies piece by piece: gzip, deflate, brotli and zstd, if their
 * libraries were available when this one was built. */
#ifndef COGEN_HTTP_CODING_DECODER_H
#define COGEN_HTTP_CODING_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CG__DECODE_INPUT = 4096,       /* bytes that a decoder takes at a time */
    CG__DECODE_FREE = 1024 * 1024, /* bytes of output before the ratio is checked */
    CG__DECODE_RATIO = 2000,       /* more is an attack; gzip reaches 1032. brotli and
                                  zstd can reach more, with bodies of one byte repeated */
};

/* One content coding. */
struct cg__coding {
    const char *name;
    /* The state of a new stream; NULL: no memory. */
    void *(*begin)(void);
    /* Decodes bytes of *in, which it advances, into out. Returns the number of bytes
     * written; -1: the stream is invalid. *ended: the stream may end here; bytes after it
     * that do not continue it are ignored. */
    ssize_t (*decode)(void *state, const uint8_t **in, size_t *in_len, uint8_t *out,
                      size_t out_len, bool *ended);
    void (*end)(void *state);
};

extern const struct cg__coding cg__http_decoder_gzip, cg__http_decoder_deflate,
    cg__http_decoder_brotli, cg__http_decoder_zstd;

struct cg__decoder;

/* The value for Accept-Encoding: the codings that can be decoded, "gzip, deflate, br,
 * zstd"; "": none. */
const char *cg__http_decoder_accept(void);

/* A decoder for the value of a Content-Encoding, to be freed by cg__http_decoder_free. 0;
 * -EOPNOTSUPP: it is a coding that we do not know, or several; -ENOMEM. */
int cg__http_decoder_new(struct cg__decoder **decoder, const char *codings);
void cg__http_decoder_free(struct cg__decoder *decoder);

/* Decodes the given input into buf. Returns the number of bytes written; 0: it needs more
 * input; CG_EHTTP_CODING: the stream is invalid, or expands too much. */
ssize_t cg__http_decoder_read(struct cg__decoder *decoder, void *buf, size_t len);

/* Gives up to CG__DECODE_INPUT bytes of input, after _read has returned 0. */
void cg__http_decoder_give(struct cg__decoder *decoder, const void *data, size_t size);

/* Whether the stream is complete, or has not even begun. */
bool cg__http_decoder_is_complete(const struct cg__decoder *decoder);

#endif
