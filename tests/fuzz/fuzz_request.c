/* SPDX-License-Identifier: MIT */
/* Requests of HTTP/1, one after the other. */
#include "config.h"

#include "tests/fuzz/parsed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_parse(CG__HTTP_REQUEST, false, data, size);
    return 0;
}
