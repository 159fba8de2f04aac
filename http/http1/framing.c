/* SPDX-License-Identifier: MIT */
/* The framing of bodies that are written. */
#include "config.h"

#include "http/http1/framing.h"
#include "lib/base/ascii.h"

#include <string.h>

size_t cg__http_framing_hex(char *buf, uint64_t number)
{
    size_t len = 1;

    while (len < 16 && number >> (4 * len) != 0)
        len++;
    for (size_t at = len; at > 0; number >>= 4)
        buf[--at] = "0123456789abcdef"[number & 15];
    return len;
}

size_t cg__http_framing_chunk_head(char *buf, uint64_t size)
{
    size_t len = cg__http_framing_hex(buf, size);

    memcpy(buf + len, "\r\n", 2);
    return len + 2;
}

bool cg__http_framing_length(const char *text, uint64_t *length)
{
    return cg__ascii_number(&text, length) && *text == '\0' && *length < UINT64_MAX;
}
