/* SPDX-License-Identifier: MIT */
/* See h2_text.h. */
#include "config.h"

#include "tests/http/http2/h2_text.h"

#include <stdio.h>
#include <stdlib.h>

bool h2_text_on;

enum { SKIPPED = 77 };

/* The exit code of two runs. */
static int both(int a, int b)
{
    return a == SKIPPED ? b : b == SKIPPED ? a : a | b;
}

int both_main(const char *theme, const struct test_case *cases, size_t n,
              const struct test_case *once, size_t once_n)
{
    int code = test_main(theme, cases, n);
    char name[64];

    if (once != NULL)
        code = both(code, test_main(theme, once, once_n));
    if (!h2_text_can())
        return code;
    h2_text_on = true;
    snprintf(name, sizeof name, "%s over HTTP/2", theme);
    return both(code, test_main(name, cases, n));
}
