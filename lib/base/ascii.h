/* SPDX-License-Identifier: MIT */
/* Letters, digits and numbers in protocols. They are ASCII whatever the program's locale
 * is. strcasecmp, isdigit, strtol and the like depend on the locale: in a Turkish one
 * "TITLE" and "title" may differ. Only this file compares letters without regard to case,
 * or reads numbers; tests/locale.sh checks that. All functions are inline, so that every
 * library may include it. */
#ifndef COGEN_LIB_BASE_ASCII_H
#define COGEN_LIB_BASE_ASCII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool cg__ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool cg__ascii_is_letter(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static inline bool cg__ascii_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The length of a text without the blanks at its end. */
static inline size_t cg__ascii_trimmed(const char *text, size_t len)
{
    while (len > 0 && cg__ascii_is_blank(text[len - 1]))
        len--;
    return len;
}

static inline char cg__ascii_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 32 : c);
}

/* The value of a hexadecimal digit, or -1. */
static inline int cg__ascii_hex(char c)
{
    if (cg__ascii_is_digit(c))
        return c - '0';
    c = cg__ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes base64, also that for URLs, with or without its padding, in place or into a buffer
 * of three quarters of the size. Returns the length; -1: invalid. */
static inline long cg__ascii_base64(char *to, const char *from, size_t len)
{
    uint32_t bits = 0;
    unsigned count = 0;
    char *start = to;

    if (len % 4 == 0 && len > 0 && from[len - 1] == '=')
        len -= from[len - 2] == '=' ? 2 : 1;
    for (size_t i = 0; i < len; i++) {
        char c = from[i], lower = cg__ascii_lower(c);
        int digit = cg__ascii_is_digit(c)    ? c - '0' + 52
                    : cg__ascii_is_letter(c) ? lower - 'a' + (c == lower ? 26 : 0)
                    : c == '+' || c == '-'   ? 62
                    : c == '/' || c == '_'   ? 63
                                             : -1;

        if (digit < 0)
            return -1;
        bits = bits << 6 | (uint32_t)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            *to++ = (char)(bits >> count);
        }
    }
    return count == 6 ? -1 : (long)(to - start);
}

/* Whether `size` bytes are equal, without regard to the case of letters. */
static inline bool cg__ascii_same(const char *a, const char *b, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (a[i] != b[i] && cg__ascii_lower(a[i]) != cg__ascii_lower(b[i]))
            return false;
    return true;
}

/* Whether two strings are equal, without regard to the case of letters. */
static inline bool cg__ascii_equal(const char *a, const char *b)
{
    while (*a != '\0' && cg__ascii_lower(*a) == cg__ascii_lower(*b))
        a++, b++;
    return *a == *b;
}

/* Whether a string begins with another one, without regard to the case of letters. */
static inline bool cg__ascii_begins(const char *text, const char *with)
{
    size_t size = strlen(with);

    return strnlen(text, size) == size && cg__ascii_same(text, with, size);
}

/* Reads the decimal digits at *at, and moves *at behind them. A number above UINT64_MAX is
 * read as UINT64_MAX. False: there is no digit. */
static inline bool cg__ascii_number(const char **at, uint64_t *number)
{
    const char *start = *at;

    for (*number = 0; cg__ascii_is_digit(**at); (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');

        *number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
    }
    return *at > start;
}

/* Whether a text is one decimal number; it is stored. NULL is not a number. */
static inline bool cg__ascii_is_number(const char *text, uint64_t *number)
{
    return text != NULL && cg__ascii_number(&text, number) && *text == '\0';
}

/* Eight bytes, to be looked at together: most bytes of a message are scanned for a few values. */
static inline uint64_t cg__ascii_eight(const char *text)
{
    uint64_t eight;

    memcpy(&eight, text, sizeof eight);
    return eight;
}

#define CG__ASCII_EIGHT(byte) (UINT64_C(0x0101010101010101) * (uint8_t)(byte))

/* Not 0 if one of the eight bytes is below a limit, which is at most 0x80. In the difference the top
 * bit of such a byte is set, in the byte itself it is not. It also borrows from the next byte,
 * but then the result is not 0 anyway. */
static inline uint64_t cg__ascii_eight_below(uint64_t eight, uint8_t limit)
{
    return (eight - CG__ASCII_EIGHT(limit)) & ~eight & CG__ASCII_EIGHT(0x80);
}

/* Not 0 if one of the eight bytes is c. */
static inline uint64_t cg__ascii_eight_has(uint64_t eight, char c)
{
    return cg__ascii_eight_below(eight ^ CG__ASCII_EIGHT(c), 1);
}

/* The length of the part of a text before its first byte that is not visible ASCII, or is `but`. */
static inline size_t cg__ascii_visible(const char *text, size_t len, char but)
{
    size_t at = 0;

    for (; len - at >= 8; at += 8) {
        uint64_t eight = cg__ascii_eight(text + at);

        if ((cg__ascii_eight_below(eight, ' ' + 1) | (eight & CG__ASCII_EIGHT(0x80)) |
             cg__ascii_eight_has(eight, 0x7f) | cg__ascii_eight_has(eight, but)) != 0)
            break;
    }
    while (at < len && text[at] > ' ' && text[at] < 0x7f && text[at] != but)
        at++;
    return at;
}

/* The length of the part of a text before its first byte that is not printable ASCII or
 * that `also` contains. */
static inline size_t cg__ascii_plain(const char *text, const char *also)
{
    size_t size = 0;

    while (text[size] >= ' ' && text[size] < 0x7f && strchr(also, text[size]) == NULL)
        size++;
    return size;
}

#endif
