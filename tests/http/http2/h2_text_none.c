/* SPDX-License-Identifier: MIT */
/* See h2_text.h. Without HTTP/2. */
#include "config.h"

#include "tests/http/http2/h2_text.h"

bool h2_text_can(void)
{
    return false;
}

size_t h2_text_ask(const char *addr, const char *text, char *got, size_t size)
{
    (void)addr, (void)text, (void)got, (void)size;
    ck_abort_msg("HTTP/2 is not built in");
}
