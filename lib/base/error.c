/* SPDX-License-Identifier: MIT */
/* The names of answers, and the version. */
#include "config.h"

#include <cogen/base.h>

#include <stdio.h>
#include <string.h>

/* A number that is neither an errno nor a code of ours. */
static const char *unknown(ssize_t code)
{
    static _Thread_local char text[48];

    snprintf(text, sizeof text, "unknown code %zd", code);
    return text;
}

const char *cg_strerror(ssize_t code)
{
    if (code >= 0)
        return "success";
    switch (code) {
    case CG_EOF:
        return "end of stream";
    case CG_EADDR:
        return "not an address";
    case CG_EHOST:
        return "unknown host";
    case CG_EREACTOR:
        return "no reactor has this name";
    case CG_ELOOKUP:
        return "host look-up failed, try again later";
    case CG_EHTTP:
        return "the response is not valid HTTP";
    case CG_EHTTP_URL:
        return "not a URL of http or https";
    case CG_EHTTP_TLS:
        return "https needs TLS, and there is none";
    case CG_EHTTP_LIMIT:
        return "the response is larger than allowed";
    case CG_EHTTP_CODING:
        return "the compressed body is broken or grows beyond reason";
    case CG_EHTTP_REDIRECT:
        return "redirected too often, or to where one must not go";
    case CG_EHTTP_PROXY:
        return "the proxy refuses, or is none";
    case CG_ETLS:
        return "TLS failed";
    case CG_ETLS_CUT:
        return "TLS stream cut off";
    case CG_ETLS_REFUSED:
        return "refused by the TLS peer";
    case CG_ETLS_CERT:
        return "certificate not accepted";
    case CG_ETLS_EXPIRED:
        return "certificate expired or not yet valid";
    case CG_ETLS_HOST:
        return "certificate is for another host";
    case CG_ETLS_ISSUER:
        return "certificate by an unknown issuer";
    case CG_ETLS_FILE:
        return "not a usable certificate or key";
    case CG_ETLS_HTTP:
        return "HTTP where TLS was expected";
    default:
        return code > CG_EOF ? strerror((int)-code) : unknown(code);
    }
}

const char *cg_version(void)
{
    return PACKAGE_VERSION;
}
