/* SPDX-License-Identifier: MIT */
/* Public suffixes: domains such as "com" and "co.uk", beneath which strangers register
 * names. No cookie may be for all of them. */
#ifndef COGEN_HTTP_COOKIES_SUFFIX_H
#define COGEN_HTTP_COOKIES_SUFFIX_H

#include <stdbool.h>

/* Whether a domain, in lower case, is a public suffix. Without libpsl: whether it is a
 * single label. */
bool cg__http_suffix_is_public(const char *domain);

/* The part of a domain that somebody has registered: "example.co.uk" of "a.example.co.uk";
 * a suffix of the text. Without libpsl the last two labels. */
const char *cg__http_suffix_site(const char *domain);

#endif
