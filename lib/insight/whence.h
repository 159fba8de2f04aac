/* SPDX-License-Identifier: MIT */
/* Where something happened, for reports of one line. See whence.c. */
#ifndef COGEN_LIB_INSIGHT_WHENCE_H
#define COGEN_LIB_INSIGHT_WHENCE_H

#include "lib/insight/backtrace.h"

enum { CG__WHENCE_FRAMES = 4 }; /* of the program, at most, in a line */

/* Drops the frames of this library from a backtrace, if others remain, and those behind the
 * first CG__WHENCE_FRAMES. If the library cannot be told from the program, three times as many
 * stay, so that some are the program's. */
void cg__whence_shorten(struct cg__backtrace *backtrace);

/* Prints return addresses as snprintf does, the innermost first: "chat+0x12 < chat+0x345".
 * Without any: "an unknown place". */
int cg__whence_print(void *const *frames, unsigned count, char *buf, size_t size);

#endif
