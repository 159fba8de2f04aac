/* SPDX-License-Identifier: MIT */
/* Strings of JSON in a stream. See lib/base/json.h. */
#ifndef COGEN_LIB_INSIGHT_JSON_H
#define COGEN_LIB_INSIGHT_JSON_H

#include <stdio.h>

/* Writes a string with its quotes; what is not UTF-8 in it is replaced. */
void cg__json_print(FILE *out, const char *text);

#endif
