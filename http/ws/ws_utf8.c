/* SPDX-License-Identifier: MIT */
/* UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. Only the second byte of
 * a character has a range of its own, so the state is a count and a range. */
#include "config.h"

#include "http/ws/ws_utf8.h"

#include <string.h>

/* Begins a character of several bytes. */
static bool begin(struct cg__ws_utf8 *utf8, uint8_t byte)
{
    if (byte < 0xc2 || byte > 0xf4)
        return false;
    utf8->left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    utf8->low = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    utf8->high = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
    return true;
}

/* The length of the ASCII at the start, in whole words: most texts are nothing else. */
static size_t skip_ascii(const char *data, size_t len)
{
    uint64_t word;
    size_t i = 0;

    for (; len - i >= 8; i += 8) {
        memcpy(&word, data + i, 8);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    return i;
}

bool cg__http_ws_utf8_check(struct cg__ws_utf8 *utf8, const char *data, size_t len)
{
    size_t i = 0;

    while (i < len) {
        uint8_t byte = (uint8_t)data[i];

        if (utf8->left > 0) {
            if (byte < utf8->low || byte > utf8->high)
                return false;
            utf8->left--;
            utf8->low = 0x80;
            utf8->high = 0xbf;
            i++;
        } else if (byte < 0x80) {
            size_t ascii = skip_ascii(data + i, len - i);

            i += ascii > 0 ? ascii : 1;
        } else if (begin(utf8, byte)) {
            i++;
        } else {
            return false;
        }
    }
    return true;
}
