/* SPDX-License-Identifier: MIT */
/* Strings in JSON. See json.c. */
#ifndef COGEN_LIB_INSIGHT_JSON_H
#define COGEN_LIB_INSIGHT_JSON_H

#include <stdio.h>

/* Writes a string with its quotes; what is not UTF-8 in it is replaced. */
void cg__json_string(FILE *out, const char *text);

#endif
