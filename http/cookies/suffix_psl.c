/* SPDX-License-Identifier: MIT */
/* Public suffixes by libpsl, which has the list built in. */
#include "config.h"

#include "http/cookies/suffix.h"

#include <libpsl.h>
#include <stddef.h>

bool cg__http_suffix_is_public(const char *domain)
{
    return psl_is_public_suffix(psl_builtin(), domain) != 0;
}

const char *cg__http_suffix_site(const char *domain)
{
    const char *site = psl_registrable_domain(psl_builtin(), domain);

    return site != NULL ? site : domain;
}
