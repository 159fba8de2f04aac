/* SPDX-License-Identifier: MIT */
/* Responses of HTTP/1, one after the other, also those to HEAD. */
#include "config.h"

#include "tests/fuzz/parsed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_parse(CG__HTTP_RESPONSE, false, data, size);
    fuzz_parse(CG__HTTP_RESPONSE, true, data, size);
    return 0;
}
