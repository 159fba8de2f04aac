/* SPDX-License-Identifier: MIT */
/* See cookie_name.h. Browsers compare the prefixes without regard to the case of letters,
 * since servers do. */
#include "config.h"

#include "http/message/cookie_name.h"
#include "lib/base/ascii.h"

bool cg__http_cookie_name_allows(const char *name,
                                 const struct cg__http_cookie_rules *rules)
{
    bool host = cg__ascii_begins(name, "__Host-"),
         http = cg__ascii_begins(name, "__Http-") ||
                cg__ascii_begins(name, "__Host-Http-"),
         secure = host || http || cg__ascii_begins(name, "__Secure-");

    return (!secure || rules->secure) && (!http || rules->http_only) &&
           (!host || (!rules->domain && rules->root));
}
