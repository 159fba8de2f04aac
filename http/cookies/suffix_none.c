/* SPDX-License-Identifier: MIT */
/* Without a list of public suffixes only single labels are known to be some. */
#include "config.h"

#include "http/cookies/suffix.h"

#include <string.h>

bool cg__http_suffix_is_public(const char *domain)
{
    return strchr(domain, '.') == NULL;
}

const char *cg__http_suffix_site(const char *domain)
{
    const char *at = domain + strlen(domain);

    for (int dots = 0; at > domain && (at[-1] != '.' || ++dots < 2);)
        at--;
    return at;
}
