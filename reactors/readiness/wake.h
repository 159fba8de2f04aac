/* SPDX-License-Identifier: MIT */
/* What another thread wakes a reactor with. */
#ifndef COGEN_REACTORS_READINESS_WAKE_H
#define COGEN_REACTORS_READINESS_WAKE_H

/* Opens it: *in is readable after 8 bytes (a number above 0) were written to *out. Both do
 * not block, and may be the same descriptor. Returns 0 or -errno. */
int cg__wake_open(int *in, int *out);

#endif
