/* SPDX-License-Identifier: MIT */
/* A body that is compressed piece by piece. What a stream needs is bounded: 80 KB for gzip,
 * 720 KB for brotli, however long it gets. A text that is there as a whole is compressed
 * better, for the moment that it takes: 270 KB and some megabytes. */
#ifndef COGEN_HTTP_CODING_ENCODER_H
#define COGEN_HTTP_CODING_ENCODER_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CG__HTTP_ENCODED = 8 * 1024 - 128, /* bytes that an encoder hands out at a time */
    CG__HTTP_TURN = 32 * 1024, /* bytes that are compressed before others may run */
};

enum cg__http_encode {
    CG__HTTP_GATHER, /* it may keep what it was given */
    CG__HTTP_FLUSH,  /* all of it is wanted now */
    CG__HTTP_FINISH, /* and nothing comes after it */
};

struct cg__http_encoder;

/* For gzip, or brotli; `whole`: of a text that is there. NULL: no memory, or not built
 * in. */
struct cg__http_encoder *cg__http_encoder_new(bool brotli, bool whole);
void cg__http_encoder_free(struct cg__http_encoder *encoder);

/* Takes from *data, which moves on, *size being what is left, and shows the result in *out:
 * its length. *again: call once more with the same. */
size_t cg__http_encoder_add(struct cg__http_encoder *encoder, enum cg__http_encode how,
                            const char **data, size_t *size, const char **out,
                            bool *again);

#endif
