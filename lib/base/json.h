/* SPDX-License-Identifier: MIT */
/* Strings in JSON are UTF-8. What is written into them may come from strangers, or be cut within
 * a character: a byte that is no part of one becomes U+FFFD. Control characters are escaped,
 * those of Latin-1 (U+007F to U+009F), too, which a terminal may obey. */
#ifndef COGEN_LIB_BASE_JSON_H
#define COGEN_LIB_BASE_JSON_H

#include "lib/base/ascii.h"
#include "lib/base/utf8.h"

#include <stdio.h>
#include <string.h>

/* Takes the next piece of a JSON text. A result other than 0 ends the writing. */
typedef int cg__json_put_fn(void *to, const char *piece, size_t len);

/* Puts one character that does not stand in a string as it is; returns how many bytes of the
 * text it took. */
static inline size_t cg__json_escape(const char *text, char piece[static 8])
{
    size_t len = cg__utf8_character(text);
    unsigned code = (unsigned char)*text;

    if (len == 2 && code == 0xc2)
        code = (unsigned char)text[1];
    if (code == '"' || code == '\\')
        snprintf(piece, 8, "\\%c", (int)code);
    else if (len == 0)
        memcpy(piece, "\\ufffd", 7);
    else if (code < 0xa0)
        snprintf(piece, 8, "\\u%04x", code);
    else
        snprintf(piece, 8, "%.*s", (int)len, text);
    return len ? len : 1;
}

/* Puts a text with escapes; those of the characters in `also` as well. Returns 0, or what `put`
 * has returned. */
static inline int cg__json_escaped(const char *text, const char *also, cg__json_put_fn *put,
                                   void *to)
{
    int rc = 0;

    while (rc == 0) {
        size_t len = cg__ascii_plain(text, also);
        char piece[8];

        rc = put(to, text, len);
        text += len;
        if (*text == '\0' || rc != 0)
            break;
        text += cg__json_escape(text, piece);
        rc = put(to, piece, strlen(piece));
    }
    return rc;
}

/* Puts a text as a string, with its quotes. Returns 0, or what `put` has returned. */
static inline int cg__json_string(const char *text, cg__json_put_fn *put, void *to)
{
    int rc = put(to, "\"", 1);

    if (rc == 0)
        rc = cg__json_escaped(text, "\"\\", put, to);
    return rc == 0 ? put(to, "\"", 1) : rc;
}

static inline int cg__json_to_file(void *to, const char *piece, size_t len)
{
    fwrite(piece, 1, len, to);
    return 0;
}

/* Writes a text for people, without quotes. A name that a stranger has chosen can neither begin a
 * line of its own nor command a terminal. */
static inline void cg__json_print_plain(FILE *out, const char *text)
{
    cg__json_escaped(text, "", cg__json_to_file, out);
}

struct cg__json_room {
    char *at;
    size_t left;
};

static inline int cg__json_to_room(void *to, const char *piece, size_t len)
{
    struct cg__json_room *room = to;
    size_t n = len < room->left ? len : room->left;

    memcpy(room->at, piece, n);
    room->at += n;
    room->left -= n;
    return n < len;
}

/* Copies such a text, as much of it as fits into `size` bytes, which must not be 0. For signal
 * handlers, too. */
static inline void cg__json_copy_plain(char *buf, size_t size, const char *text)
{
    struct cg__json_room room = {buf, size - 1};

    cg__json_escaped(text, "", cg__json_to_room, &room);
    *room.at = '\0';
}

#endif
