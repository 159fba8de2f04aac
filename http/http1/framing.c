/* SPDX-License-Identifier: MIT */
/* The framing of bodies that are written. */
#include "config.h"

#include "http/http1/framing.h"
#include "lib/base/ascii.h"

#include <string.h>

size_t cg__http_framing_chunk_head(char *buf, uint64_t size)
{
    char digits[16];
    size_t n = 0, len;

    do
        digits[n++] = "0123456789abcdef"[size & 15];
    while (size >>= 4);
    len = n;
    while (n > 0)
        *buf++ = digits[--n];
    memcpy(buf, "\r\n", 2);
    return len + 2;
}

bool cg__http_framing_length(const char *text, uint64_t *length)
{
    return cg__ascii_number(&text, length) && *text == '\0' && *length < UINT64_MAX;
}
