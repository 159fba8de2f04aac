/* SPDX-License-Identifier: MIT */
/* The end of a connection: learn that the peer is gone, and close so that the peer can read
 * what was written. See cg_wait_gone(3). */
#ifndef COGEN_SOCK_END_H
#define COGEN_SOCK_END_H

#include <cogen/sock.h>

#ifndef __cplusplus

#define CG_LINGER (2 * CG_SECOND) /* default .timeout of cg_close_gently */

enum {
    CG_LINGER_BYTES = 1024 * 1024, /* default .most of cg_close_gently */
};

struct cg_wait_gone_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    struct cg_wait_gone_op *next, *prev; /* the ops that wait for the same socket */
};

struct cg_close_gently_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    uint64_t most;
    bool kept, defaulted;
};

/* cg_wait_gone(sock): waits until the peer has ended its stream or the connection has
 * failed, also while input is unread, and beside operations that read or write the same
 * socket: a handler at work learns that its client is gone. A peer that has only shut down
 * its sending direction counts as gone; the two look alike. Completes with 0. -EINVAL: a
 * listener. -EOPNOTSUPP: this system, which has no POLLRDHUP, or the socket's transport
 * cannot tell. Any number of
 * coroutines may wait. The default timeout does not apply. Traceless. */
#define cg_wait_gone(...) cg__wait_gone(__VA_ARGS__, )
#define cg__wait_gone(s, ...) CG_OP(cg_wait_gone, .sock = (s), __VA_ARGS__)

/* cg_close_gently(sock): ends the writing direction, reads and drops what the peer still
 * sends, until the peer has ended its stream, too, and closes the socket. A plain
 * cg_sock_close resets a TCP connection whose input is unread or still comes, and the peer
 * may then lose what was written last. Without .timeout it takes at most CG_LINGER. The
 * socket is closed and freed whatever the result, also if the op never begins; meanwhile
 * nobody else may close it. -EINVAL: a listener; -EMSGSIZE: the peer has sent more than
 * .most; -EBUSY: another coroutine reads or writes, or a view is lent; -ETIMEDOUT,
 * -ECANCELED and errors of the connection. Completes with 0. Keywords:
 *   .most         drops at most so many bytes; 0: CG_LINGER_BYTES */
#define cg_close_gently(...) cg__close_gently(__VA_ARGS__, )
#define cg__close_gently(s, ...) CG_OP(cg_close_gently, .sock = (s), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_wait_gone_type, cg_close_gently_type;

CG_EXTERN_C_END
#endif
