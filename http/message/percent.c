/* SPDX-License-Identifier: MIT */
/* Percent-encoding. See percent.h. */
#include "config.h"

#include "http/message/percent.h"
#include "lib/base/ascii.h"

#include <stdio.h>
#include <string.h>

ssize_t cg__http_percent_decode(char *to, const char *from, size_t size, bool plus, bool slash)
{
    const char *end = from + size;
    char *start = to;

    while (from < end) {
        int high, low, c;

        if (*from != '%') {
            *to++ = plus && *from == '+' ? ' ' : *from;
            from++;
            continue;
        }
        if (end - from < 3 || (high = cg__ascii_hex(from[1])) < 0 ||
            (low = cg__ascii_hex(from[2])) < 0)
            return -1;
        c = high << 4 | low;
        if (c == 0)
            return -1;
        if ((c == '/' || c == '%') && !slash) {
            memcpy(to, c == '/' ? "%2F" : "%25", 3);
            to += 3;
        } else {
            *to++ = (char)c;
        }
        from += 3;
    }
    return to - start;
}

char *cg__http_percent_encode(char *to, const char *from, size_t size, const char *others)
{
    for (const char *end = from + size; from < end; from++) {
        if (cg__ascii_is_digit(*from) || cg__ascii_is_letter(*from) ||
            strchr("-._~", *from) != NULL || strchr(others, *from) != NULL)
            *to++ = *from;
        else
            to += sprintf(to, "%%%02X", (unsigned char)*from);
    }
    *to = '\0';
    return to;
}
