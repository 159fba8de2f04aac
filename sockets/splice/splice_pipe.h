/* SPDX-License-Identifier: MIT */
/* The pipes through which cg_splice moves bytes in the kernel. */
#ifndef COGEN_SOCKETS_SPLICE_SPLICE_PIPE_H
#define COGEN_SOCKETS_SPLICE_SPLICE_PIPE_H

#include "sockets/sock.h"

struct cg__splice_pipe {
    struct cg__splice_pipe *next, **link; /* of the scheduler's open ones */
    struct cg_sched *sched;
    struct cg_sock *from; /* whose bytes it holds */
    size_t held;          /* bytes in it */
    unsigned forks;       /* fork count when it was made */
    int ends[2];          /* to read, to write */
};

/* Opens a pipe for bytes of this socket. Returns NULL if there is none: too many are open,
 * no descriptors, no memory, or this system has no splice. */
struct cg__splice_pipe *cg__splice_pipe_open(struct cg_sock *from);

/* Closes it. The bytes in it become unread input of its socket. */
void cg__splice_pipe_close(struct cg__splice_pipe *pipe);

#endif
