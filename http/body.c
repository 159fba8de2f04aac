/* SPDX-License-Identifier: MIT */
/* The framing of bodies that are written. */
#include "config.h"

#include "http/body.h"

#include <string.h>

size_t cg__http_chunk_head(char *buf, uint64_t size)
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

bool cg__http_length(const char *text, uint64_t *length)
{
    uint64_t number = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || number > (UINT64_MAX - 9) / 10)
            return false;
        number = number * 10 + (uint64_t)(*text - '0');
    }
    *length = number;
    return true;
}
