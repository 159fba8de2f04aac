/* SPDX-License-Identifier: MIT */
/* Variables of the environment that may name files or change what a program prints: a
 * program that has more rights than its caller does not read them. */
#ifndef COGEN_LIB_BASE_ENVIRONMENT_H
#define COGEN_LIB_BASE_ENVIRONMENT_H

#include <stdlib.h>

/* The value, or NULL. */
static inline const char *cg__environment(const char *name)
{
#ifdef HAVE_SECURE_GETENV
    return secure_getenv(name);
#else
    return getenv(name);
#endif
}

#endif
