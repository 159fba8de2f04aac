/* SPDX-License-Identifier: MIT */
/* The two operations on one socket of which cg_splice is made. */
#ifndef COGEN_SOCKETS_SPLICE_SPLICE_STEP_H
#define COGEN_SOCKETS_SPLICE_SPLICE_STEP_H

#include "sockets/splice/splice_pipe.h"

struct cg__splice_step_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    struct cg__splice_pipe *pipe;
    size_t most;
    ssize_t got; /* -1: nothing yet */
};

/* cg__splice_fill(sock, pipe, most): waits for input and moves at most `most` bytes of it
 * into the empty pipe. Completes with their number; 0: the stream has ended. -EAGAIN: there
 * is unread input, which must be read first; -EOPNOTSUPP: not from such a descriptor.
 * Traceless. */
#define cg__splice_fill(...) cg__splice_fill_(__VA_ARGS__, )
#define cg__splice_fill_(s, p, n, ...)                                                     \
    CG__OP(struct cg__splice_step_op, cg__splice_fill_type, .sock = (s), .pipe = (p),      \
           .most = (n), __VA_ARGS__)

/* cg__splice_drain(sock, pipe): moves bytes out of the pipe to a socket, as many as it
 * takes. Completes with their number. -EOPNOTSUPP as above. Traceless. */
#define cg__splice_drain(...) cg__splice_drain_(__VA_ARGS__, )
#define cg__splice_drain_(s, p, ...)                                                       \
    CG__OP(struct cg__splice_step_op, cg__splice_drain_type, .sock = (s), .pipe = (p),     \
           __VA_ARGS__)

extern const struct cg_op_type cg__splice_fill_type, cg__splice_drain_type;

#endif
