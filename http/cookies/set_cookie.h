/* SPDX-License-Identifier: MIT */
/* The value of a Set-Cookie field (RFC 6265bis, 5.6). */
#ifndef COGEN_HTTP_COOKIES_SET_COOKIE_H
#define COGEN_HTTP_COOKIES_SET_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CG__SET_COOKIE_ATTRIBUTE = 1024 }; /* bytes of a domain or a path */

/* A part of the field. */
struct cg__set_cookie_part {
    const char *at;
    size_t len;
};

struct cg__set_cookie {
    struct cg__set_cookie_part name, value;
    struct cg__set_cookie_part domain; /* without a dot before it; empty: not said */
    struct cg__set_cookie_part path;   /* empty: not said, or it does not begin with "/" */
    int64_t expires; /* in seconds since 1970, also in the past; 0: at the end of the session */
    uint8_t same_site; /* enum cg_http_jar_site */
    bool secure, http_only;
};

/* Takes a field apart. NULL, or why the cookie is refused (static). Unknown and invalid
 * attributes are ignored. */
const char *cg__http_set_cookie_parse(struct cg__set_cookie *cookie, const char *text, int64_t now);

#endif
