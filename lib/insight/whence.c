/* SPDX-License-Identifier: MIT */
/* The program's own part of a backtrace. What its innermost frames are, if the library is
 * shared, is told by the file to which they belong: libcogen.so and its kin. In a program that
 * contains the library they cannot be told apart, and stay. */
#include "config.h"

#include "lib/insight/whence.h"

#include "lib/insight/dump.h"

#include <string.h>

static bool is_ours(const void *address)
{
    char place[512];
    const char *slash, *name = place;

    cg__dump_place(address, place, sizeof place);
    if ((slash = strrchr(place, '/')))
        name = slash + 1;
    return strncmp(name, "libcogen", strlen("libcogen")) == 0;
}

void cg__whence_shorten(struct cg__backtrace *backtrace)
{
    unsigned all = backtrace->count, count = 0, limit = CG__WHENCE_FRAMES * 3;

    for (unsigned i = 0; i < all && count < limit; i++) {
        if (!is_ours((const char *)backtrace->frames[i] - 1))
            backtrace->frames[count++] = backtrace->frames[i];
        if (count <= i)
            limit = CG__WHENCE_FRAMES;
    }
    if (count > 0)
        backtrace->count = count;
    else if (all > CG__WHENCE_FRAMES)
        backtrace->count = CG__WHENCE_FRAMES;
}

int cg__whence_print(void *const *frames, unsigned count, char *buf, size_t size)
{
    char place[512];
    int len = 0;

    if (count == 0)
        return snprintf(buf, size, "an unknown place");
    for (unsigned i = 0; i < count; i++) {
        size_t at = (size_t)len < size ? (size_t)len : size;

        /* The call itself, which stands before the address to which it returns. */
        cg__dump_place((const char *)frames[i] - 1, place, sizeof place);
        len += snprintf(buf + at, size - at, "%s%s", i ? " < " : "", place);
    }
    return len;
}
