/* SPDX-License-Identifier: MIT */
/* Strings of JSON in a stream. */
#include "config.h"

#include "lib/insight/json.h"

#include "lib/base/json.h"

static int put(void *to, const char *piece, size_t len)
{
    fwrite(piece, 1, len, to);
    return 0;
}

void cg__json_print(FILE *out, const char *text)
{
    cg__json_string(text, put, out);
}
