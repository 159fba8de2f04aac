/* SPDX-License-Identifier: MIT */
/* The framing of bodies that are written. */
#include "config.h"

#include "http/body.h"

#include <string.h>

bool cg__http_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

enum cg__http_framing cg__http_frame(int status, bool head, int minor, bool has_length)
{
    if (head || !cg__http_has_body(status))
        return CG__HTTP_NO_BODY;
    if (has_length)
        return CG__HTTP_LENGTH;
    return minor > 0 ? CG__HTTP_CHUNKED : CG__HTTP_CLOSE;
}

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

size_t cg__http_decimal(char *buf, uint64_t number)
{
    char digits[20];
    size_t n = 0, len;

    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    len = n;
    while (n > 0)
        *buf++ = digits[--n];
    return len;
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
