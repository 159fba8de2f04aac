/* SPDX-License-Identifier: MIT */
/* Checks UTF-8 (RFC 3629) piece by piece. */
#ifndef COGEN_HTTP_WS_WS_UTF8_H
#define COGEN_HTTP_WS_WS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The state between two pieces; all zero at the start of a text. */
struct cg__ws_utf8 {
    uint8_t left;      /* continuation bytes of the character that are missing */
    uint8_t low, high; /* range of the next one */
};

/* Checks the next piece. False: the text is invalid, whatever follows. The text is complete
 * if .left is 0 in the end. */
bool cg__http_ws_utf8_check(struct cg__ws_utf8 *utf8, const char *data, size_t len);

/* Whether a whole text is valid. */
static inline bool cg__http_ws_utf8_is_valid(const char *data, size_t len)
{
    struct cg__ws_utf8 utf8 = {0};

    return cg__http_ws_utf8_check(&utf8, data, len) && utf8.left == 0;
}

#endif
