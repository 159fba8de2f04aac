/* SPDX-License-Identifier: MIT */
/* Pipes that programs which are started meanwhile do not inherit. */
#ifndef COGEN_LIB_BASE_PIPE_H
#define COGEN_LIB_BASE_PIPE_H

/* Opens a pipe: ends[0] reads, ends[1] writes, both close-on-exec. Returns 0 or -errno. */
int cg__pipe_open(int ends[2]);

#endif
