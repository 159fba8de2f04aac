/* SPDX-License-Identifier: MIT */
/* The rules that a cookie's name imposes (RFC 6265bis, 4.1.3). */
#ifndef COGEN_HTTP_MESSAGE_COOKIE_NAME_H
#define COGEN_HTTP_MESSAGE_COOKIE_NAME_H

#include <stdbool.h>

/* What a cookie says about itself. */
struct cg__http_cookie_rules {
    bool secure;    /* sent over https only */
    bool http_only; /* hidden from scripts */
    bool domain;    /* for a domain, not for one host */
    bool root;      /* its path is "/" */
};

/* Whether a name with a prefix such as "__Host-" goes with the rest of its cookie. The name
 * may be followed by other bytes. */
bool cg__http_cookie_name_allows(const char *name,
                                 const struct cg__http_cookie_rules *rules);

#endif
