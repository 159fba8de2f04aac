/* SPDX-License-Identifier: MIT */
/* Checks UTF-8 (RFC 3629) piece by piece. */
#ifndef COGEN_HTTP_WS_WS_UTF8_H
#define COGEN_HTTP_WS_WS_UTF8_H

#include "lib/base/utf8.h"

/* Checks the next piece. False: the text is invalid, whatever follows. The text is complete
 * if .left is 0 in the end. */
bool cg__http_ws_utf8_check(struct cg__utf8 *utf8, const char *data, size_t len);

/* Whether a whole text is valid. */
static inline bool cg__http_ws_utf8_is_valid(const char *data, size_t len)
{
    struct cg__utf8 utf8 = {0};

    return cg__http_ws_utf8_check(&utf8, data, len) && utf8.left == 0;
}

#endif
