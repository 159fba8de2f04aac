/* SPDX-License-Identifier: MIT */
/* Messages of failed requests. */
#include "config.h"

#include "http/client/why.h"
#include "lib/base/ascii.h"

#include <cogen/http_client.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copies a text, truncated to the size. Bytes that are not printable ASCII become "\x1b": a
 * server may have chosen the text, and messages go to terminals and logs. */
static void copy_plain(char *to, size_t size, const char *from)
{
    const char *end = to + size - 1;

    while (*from != '\0' && to < end) {
        size_t plain = cg__ascii_plain(from, ""), room = (size_t)(end - to);

        if (plain == 0 && room < 4)
            break;
        if (plain == 0) {
            to += sprintf(to, "\\x%02x", (unsigned char)*from++);
            continue;
        }
        plain = plain < room ? plain : room;
        memcpy(to, from, plain);
        to += plain;
        from += plain;
    }
    *to = '\0';
}

ssize_t cg__http_client_because(char *why, ssize_t code, const char *format, ...)
{
    char words[CG_HTTP_WHY_SIZE];
    va_list args;

    if (why != NULL) {
        va_start(args, format);
        vsnprintf(words, sizeof words, format, args);
        va_end(args);
        copy_plain(why, CG_HTTP_WHY_SIZE, words);
    }
    return code;
}
