/* SPDX-License-Identifier: MIT */
/* UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. Only the second
 * byte of a character has a range of its own, so the state is a count and a range. */
#ifndef COGEN_LIB_BASE_UTF8_H
#define COGEN_LIB_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The state between two bytes; all zero at the start of a text. */
struct cg__utf8 {
    uint8_t left;      /* continuation bytes of the character that are missing */
    uint8_t low, high; /* range of the next one */
};

/* Checks the next byte. False: the text is invalid, whatever follows. The text is complete if
 * .left is 0 in the end. */
static inline bool cg__utf8_next(struct cg__utf8 *utf8, uint8_t byte)
{
    if (utf8->left > 0) {
        if (byte < utf8->low || byte > utf8->high)
            return false;
        utf8->left--;
        utf8->low = 0x80;
        utf8->high = 0xbf;
        return true;
    }
    if (byte < 0x80)
        return true;
    if (byte < 0xc2 || byte > 0xf4)
        return false;
    utf8->left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    utf8->low = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
    utf8->high = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
    return true;
}

/* The length of the character that a text ending with '\0' begins with; 0: it is invalid. */
static inline size_t cg__utf8_character(const char *text)
{
    struct cg__utf8 utf8 = {.left = 0};
    size_t len = 0;

    do
        if (!cg__utf8_next(&utf8, (uint8_t)text[len++]))
            return 0;
    while (utf8.left > 0);
    return len;
}

#endif
