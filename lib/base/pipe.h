/* SPDX-License-Identifier: MIT */
/* Pipes that are not inherited by programs that the process starts. */
#ifndef COGEN_LIB_BASE_PIPE_H
#define COGEN_LIB_BASE_PIPE_H

/* Opens a pipe: ends[0] reads, ends[1] writes, both close-on-exec. Returns 0 or -errno. */
int cg__pipe_open(int ends[2]);

#endif
