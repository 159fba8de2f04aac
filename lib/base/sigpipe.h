/* SPDX-License-Identifier: MIT */
/* What the library itself has to say on stderr. */
#ifndef COGEN_LIB_BASE_SIGPIPE_H
#define COGEN_LIB_BASE_SIGPIPE_H

#include <stdio.h>

/* Prints "cogen: ..." and the end of the line on stderr; never raises SIGPIPE. */
void cg__report(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
