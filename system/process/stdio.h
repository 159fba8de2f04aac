/* SPDX-License-Identifier: MIT */
/* Standard input, output and error of a process that is to be started, and the descriptors
 * that it gets above those. */
#ifndef COGEN_SYSTEM_STDIO_H
#define COGEN_SYSTEM_STDIO_H

#include <cogen/process.h>

/* Descriptors; -1: none. The child's are all above 2, so that moving one to its place
 * never overwrites another; for the same reason the copies are above all places. */
struct cg__stdio {
    int child[3];
    int ours[3]; /* our ends of the pipes */
    unsigned ncopies;
    int *copies; /* copies of the descriptors that become 3, 4 ... in the child */
};

/* Opens what the options ask for. Returns 0 or -errno; in both cases the caller closes
 * with cg__stdio_close. */
int cg__stdio_open(struct cg__stdio *stdio, const struct cg_spawn_options *options);
void cg__stdio_close(struct cg__stdio *stdio);

/* Opens the file of a descriptor with these flags anew and close-on-exec: a pipe or a
 * terminal. Returns the descriptor of an open file of its own; -1: that cannot be done. */
int cg__stdio_reopen(int fd, int flags);

/* "/dev/null"; tests set a path that does not exist. */
extern const char *cg__stdio_null;

#endif
