/* SPDX-License-Identifier: MIT */
/* Bodies that were compressed, piece by piece: gzip and brotli, as far as their libraries
 * were there when this one was built. */
#ifndef COGEN_HTTP_CODING_DECODER_H
#define COGEN_HTTP_CODING_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    CG__DECODE_INPUT = 4096,       /* bytes that a decoder takes at a time */
    CG__DECODE_FREE = 1024 * 1024, /* bytes before the ratio is looked at */
    CG__DECODE_RATIO = 2000,       /* gzip cannot reach 1032; more is meant to harm */
};

/* One way to decode. */
struct cg__coding {
    const char *name;
    /* The state of a new stream; NULL: no memory. */
    void *(*begin)(void);
    /* Decodes some of *in, moving it, into out; answers the bytes written, -1: it is
     * broken. *ended: the stream may end here; if it does not go on, what follows is
     * ignored. */
    ssize_t (*decode)(void *state, const uint8_t **in, size_t *in_len, uint8_t *out,
                      size_t out_len, bool *ended);
    void (*end)(void *state);
};

extern const struct cg__coding cg__http_decoder_gzip, cg__http_decoder_brotli;

struct cg__decoder;

/* What can be decoded, for Accept-Encoding: "gzip, br"; "": nothing. */
const char *cg__http_decoder_accept(void);

/* A decoder for the value of a Content-Encoding, to be freed by cg__http_decoder_free. 0;
 * -EOPNOTSUPP: it is a coding that we do not know, or several; -ENOMEM. */
int cg__http_decoder_new(struct cg__decoder **decoder, const char *codings);
void cg__http_decoder_free(struct cg__decoder *decoder);

/* Decodes into buf what has been given: bytes written; 0: it wants more; CG_EHTTP_CODING:
 * it is broken, or grows beyond reason. */
ssize_t cg__http_decoder_read(struct cg__decoder *decoder, void *buf, size_t len);

/* Gives it up to CG__DECODE_INPUT bytes, when it has answered 0. */
void cg__http_decoder_give(struct cg__decoder *decoder, const void *data, size_t size);

/* Whether the stream is complete, or has not even begun. */
bool cg__http_decoder_is_complete(const struct cg__decoder *decoder);

#endif
