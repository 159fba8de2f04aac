/* SPDX-License-Identifier: MIT */
/* Messages of the library on stderr. */
#ifndef COGEN_LIB_BASE_REPORT_H
#define COGEN_LIB_BASE_REPORT_H

#include <stddef.h>

enum { CG__REPORT_LOST_SIZE = 80 }; /* bytes of the line of cg__report_lost */

/* Prints "cogen: ...", at most 2047 bytes of it, followed by a newline, on stderr; never raises
 * SIGPIPE. Control characters in the message are escaped: names may come from strangers. If
 * stderr takes nothing for a second, the message is lost, and later ones are without a wait until
 * somebody reads; then the next message is preceded by their number. */
void cg__report(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints, as snprintf does, the line that tells of so many lost messages. */
int cg__report_lost(unsigned count, char *buf, size_t size);

#endif
