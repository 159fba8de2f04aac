/* SPDX-License-Identifier: MIT */
/* Most texts are ASCII, which is skipped in whole words. */
#include "config.h"

#include "http/ws/ws_utf8.h"

#include <string.h>

/* Returns how many bytes at the start are ASCII, as a multiple of the size of a word. */
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

bool cg__http_ws_utf8_check(struct cg__utf8 *utf8, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (utf8->left == 0)
            i += skip_ascii(data + i, len - i);
        if (i < len && !cg__utf8_next(utf8, (uint8_t)data[i]))
            return false;
    }
    return true;
}
