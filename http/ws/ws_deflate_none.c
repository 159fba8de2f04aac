/* SPDX-License-Identifier: MIT */
/* Without zlib nothing is compressed, and permessage-deflate is never agreed on. */
#include "config.h"

#include "http/ws/ws_deflate.h"

#include <errno.h>

bool cg__http_ws_deflate_can(void)
{
    return false;
}

struct cg__ws_deflate *cg__http_ws_deflate_new(const struct cg__ws_params *params)
{
    (void)params;
    return NULL;
}

void cg__http_ws_deflate_free(struct cg__ws_deflate *codec)
{
    (void)codec;
}

ssize_t cg__http_ws_deflate_pack(struct cg__ws_deflate *codec, const char *data,
                                 size_t len, char **packed)
{
    (void)codec;
    (void)data;
    (void)len;
    *packed = NULL;
    return 0;
}

ssize_t cg__http_ws_deflate_unpack(struct cg__ws_deflate *codec, const char **data,
                                   size_t *len, char *out, size_t size)
{
    (void)codec;
    (void)data;
    (void)len;
    (void)out;
    (void)size;
    return -EILSEQ;
}

int cg__http_ws_deflate_end(struct cg__ws_deflate *codec)
{
    (void)codec;
    return -EILSEQ;
}
