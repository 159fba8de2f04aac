/* SPDX-License-Identifier: MIT */
/* Compresses a body piece by piece. The memory of a stream is bounded: 80 KB for gzip, 170 KB for
 * zstd, 720 KB for brotli. A text that is complete in memory is compressed better, and needs
 * 270 KB (gzip), 100 KB to a megabyte (zstd) or some megabytes (brotli) for that short time. */
#ifndef COGEN_HTTP_CODING_ENCODER_H
#define COGEN_HTTP_CODING_ENCODER_H

#include "http/coding/coding.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    CG__HTTP_ENCODED = 8 * 1024 - 128, /* size of the encoder's output buffer */
    CG__HTTP_TURN = 32 * 1024, /* bytes that are compressed before others may run */
};

enum cg__http_encode {
    CG__HTTP_GATHER, /* the encoder may hold input back */
    CG__HTTP_FLUSH,  /* it must output everything */
    CG__HTTP_FINISH, /* the same, and the stream ends */
};

/* One content coding. */
struct cg__encoding {
    /* The state of a new stream; whole: the length of a text that is complete in memory, or 0.
     * NULL: no memory. */
    void *(*begin)(size_t whole);
    /* Encodes *size bytes at *data, and advances both past the consumed ones, into out. Returns
     * the length of the output; -ENOMEM. *again: call again with the rest. */
    ssize_t (*encode)(void *state, enum cg__http_encode how, const char **data, size_t *size,
                      char *out, size_t room, bool *again);
    void (*end)(void *state);
};

extern const struct cg__encoding cg__http_encoder_gzip, cg__http_encoder_brotli,
    cg__http_encoder_zstd;

struct cg__http_encoder;

/* Makes an encoder; whole: the length of a text that is complete in memory, or 0. NULL: no memory,
 * or the coding is not built in. */
struct cg__http_encoder *cg__http_encoder_new(enum cg__http_coding coding, size_t whole);
void cg__http_encoder_free(struct cg__http_encoder *encoder);

/* Encodes *size bytes at *data, and advances both past the consumed ones. Stores the
 * output in *out and returns its length; -ENOMEM. *again: call again with the rest. */
ssize_t cg__http_encoder_add(struct cg__http_encoder *encoder, enum cg__http_encode how,
                             const char **data, size_t *size, const char **out,
                             bool *again);

#endif
