/* SPDX-License-Identifier: MIT */
/* A body in chunks, and what follows it. */
#include "config.h"

#include "tests/fuzz/parsed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    uint8_t *bytes = malloc(sizeof head - 1 + size);

    MUST(bytes != NULL);
    memcpy(bytes, head, sizeof head - 1);
    if (size > 0)
        memcpy(bytes + sizeof head - 1, data, size);
    fuzz_parse(CG__HTTP_REQUEST, false, bytes, sizeof head - 1 + size);
    free(bytes);
    return 0;
}
