/* SPDX-License-Identifier: MIT */
/* The names of answers, and the version. */
#include "config.h"

#include <cogen/base.h>

#include <limits.h>
#include <string.h>

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
    default:
        return strerror(code > CG_EOF ? -code : INT_MAX);
    }
}

const char *cg_version(void)
{
    return PACKAGE_VERSION;
}
