/* SPDX-License-Identifier: MIT */
/* Strings of JSON in a stream. */
#include "config.h"

#include "lib/insight/json.h"

#include "lib/base/json.h"

void cg__json_print(FILE *out, const char *text)
{
    cg__json_string(text, cg__json_to_file, out);
}
