/* SPDX-License-Identifier: MIT */
/* Encodes base64. */
#include "config.h"

#include "http/message/base64.h"

#include <stdint.h>

char *cg__http_base64_encode(char *to, const void *data, size_t len)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *from = data;

    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = (uint32_t)from[i] << 16;

        bits |= i + 1 < len ? (uint32_t)from[i + 1] << 8 : 0;
        bits |= i + 2 < len ? (uint32_t)from[i + 2] : 0;
        *to++ = digits[bits >> 18];
        *to++ = digits[bits >> 12 & 63];
        *to++ = i + 1 < len ? digits[bits >> 6 & 63] : '=';
        *to++ = i + 2 < len ? digits[bits & 63] : '=';
    }
    *to = '\0';
    return to;
}
