/* SPDX-License-Identifier: MIT */
/* What the library itself says on stderr. */
#ifndef COGEN_LIB_BASE_REPORT_H
#define COGEN_LIB_BASE_REPORT_H

/* Prints "cogen: ..." and the end of the line on stderr; never raises SIGPIPE. */
void cg__report(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
