/* SPDX-License-Identifier: MIT */
/* Percent-encoding. */
#ifndef COGEN_HTTP_MESSAGE_PERCENT_H
#define COGEN_HTTP_MESSAGE_PERCENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Decodes percent-encoding, in place or into a buffer of the same size. `plus`: "+"
 * becomes a blank. `slash`: also "%2F" and "%25" are decoded; otherwise they stay, in
 * upper case, so that the result is unambiguous. Returns the length; -1: invalid, or an
 * encoded NUL. */
ssize_t cg__http_percent_decode(char *to, const char *from, size_t size, bool plus, bool slash);

/* Encodes all bytes but letters, digits, "-._~", and those of `others`. Writes at most three bytes
 * for each, and a NUL. Returns where the NUL is. */
char *cg__http_percent_encode(char *to, const char *from, size_t size, const char *others);

#endif
