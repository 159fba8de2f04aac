/* SPDX-License-Identifier: MIT */
/* The standard input, output and error of a process that is to be started. */
#ifndef COGEN_SYSTEM_STDIO_H
#define COGEN_SYSTEM_STDIO_H

#include <cogen/process.h>

/* The descriptors that take part in the call; -1: none. Those of the child are kept above
 * 2, so that putting one in its place never overwrites another. */
struct cg__stdio {
    int child[3];
    int ours[3]; /* the other ends of the pipes */
};

/* Opens what the options ask for. 0 or -errno; the caller closes what has been opened in
 * either case. */
int cg__stdio_open(struct cg__stdio *stdio, const struct cg_spawn_options *options);
void cg__stdio_close(struct cg__stdio *stdio);

/* "/dev/null"; tests set a path where there is nothing. */
extern const char *cg__stdio_null;

#endif
