/* SPDX-License-Identifier: MIT */
/* permessage-deflate (RFC 7692): the compressors of one WebSocket. */
#ifndef COGEN_HTTP_WS_WS_DEFLATE_H
#define COGEN_HTTP_WS_WS_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What both sides have agreed on. */
struct cg__ws_params {
    bool on;
    bool reset_out, reset_in;   /* no context takeover */
    unsigned bits_out, bits_in; /* 8 to 15 */
};

struct cg__ws_deflate;

/* Whether it is built in. */
bool cg__http_ws_deflate_can(void);

/* The memory of zlib is allocated when it is first needed. NULL: no memory. */
struct cg__ws_deflate *cg__http_ws_deflate_new(const struct cg__ws_params *params);
void cg__http_ws_deflate_free(struct cg__ws_deflate *codec);

/* Compresses a message into memory from malloc, and returns the length. 0: it cannot be
 * compressed (the window is too small for zlib): send it as it is. -ENOMEM. */
ssize_t cg__http_ws_deflate_pack(struct cg__ws_deflate *codec, const char *data,
                                 size_t len, char **packed);

/* Inflates bytes of a message at *data, and advances it, into out. Returns the number of
 * bytes written; if they are `size`, there may be more. -EILSEQ: invalid; -ENOMEM. */
ssize_t cg__http_ws_deflate_unpack(struct cg__ws_deflate *codec, const char **data,
                                   size_t *len, char *out, size_t size);

/* Ends a message whose bytes have all been inflated. 0; -EILSEQ: it is truncated. */
int cg__http_ws_deflate_end(struct cg__ws_deflate *codec);

#endif
