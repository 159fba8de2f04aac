/* SPDX-License-Identifier: MIT */
/* Messages of the library on stderr. */
#ifndef COGEN_LIB_BASE_REPORT_H
#define COGEN_LIB_BASE_REPORT_H

/* Prints "cogen: ...", followed by a newline, on stderr; never raises SIGPIPE. */
void cg__report(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
