/* SPDX-License-Identifier: MIT */
/* Descriptors by which another thread wakes a reactor: an eventfd, or a pipe. */
#ifndef COGEN_REACTORS_READINESS_WAKE_H
#define COGEN_REACTORS_READINESS_WAKE_H

/* Opens the descriptors: *in becomes readable when 8 bytes (a number above 0) are written
 * to *out. Both are non-blocking, and may be the same. Returns 0 or -errno. */
int cg__wake_open(int *in, int *out);

#endif
