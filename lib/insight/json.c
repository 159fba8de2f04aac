/* SPDX-License-Identifier: MIT */
/* Strings in JSON are UTF-8. Names may come from strangers, or be cut within a character: a
 * byte that is no part of one is written as U+FFFD. */
#include "config.h"

#include "lib/insight/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the character that begins here; 0: it is invalid. */
static size_t character(const unsigned char *text)
{
    size_t len = *text < 0x80 ? 1 : *text < 0xc2 ? 0 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : 4;
    uint32_t code = len > 1 ? *text & (0x7f >> len) : *text;

    if (*text > 0xf4)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3f);
    }
    if ((len == 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) ||
        (len == 4 && (code < 0x10000 || code > 0x10ffff)))
        return 0;
    return len;
}

void cg__json_string(FILE *out, const char *string)
{
    const unsigned char *text = (const unsigned char *)string;
    size_t len;

    putc('"', out);
    for (; *text; text += len ? len : 1) {
        len = character(text);
        if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if (*text < ' ')
            fprintf(out, "\\u%04x", *text);
        else if (len == 0)
            fputs("\\ufffd", out);
        else
            fwrite(text, 1, len, out);
    }
    putc('"', out);
}
