/* SPDX-License-Identifier: MIT */
/* Moving bytes from one socket to another: proxies and tunnels. See cg_splice(3). */
#ifndef COGEN_SPLICE_H
#define COGEN_SPLICE_H

#include <cogen/sock.h>

#ifndef __cplusplus

enum {
    CG_SPLICE_MOST = 256 * 1024, /* bytes that may be on their way within one cg_splice */
    CG_SPLICE_PIPES = 64,        /* most pipes of a scheduler that are open at a time */
};

struct cg_splice_op {
    CG_OP_HEAD;
    struct cg_sock *from, *to;
    size_t len;
    size_t *moved;
    size_t done;
    struct cg_op *relay; /* the cg_relay that this op is a part of, or NULL */
    bool kept;
};

struct cg_relay_op {
    CG_OP_HEAD;
    struct cg_sock *a, *b;
    uint64_t *a_to_b, *b_to_a;
    bool kept;
};

/* cg_splice(from, to, len): reads from one socket and writes to another, until len bytes
 * were moved or the stream ends. len SIZE_MAX: until it ends. Completes with the number of
 * bytes. Where both are kernel sockets, a busy stream goes through a pipe, which copies
 * nothing (splice(2), Linux); everything else is copied: unread input, the first 64 KiB, a
 * stream that pauses, TLS, and when there are no more pipes. A pipe is closed a second after
 * its last byte.
 *   The sockets may be of any kind, and may be the same one, but not listeners. They must
 * not be read or written by others meanwhile. The default timeout does not apply. Partial:
 * .moved bytes were read and written; all others are unread in `from`, whatever the result
 * (up to CG_SPLICE_MOST, which may be more than CG_INPUT_LIMIT). Supports .weak_timeout. */
#define cg_splice(...) cg__splice(__VA_ARGS__, )
#define cg__splice(f, t, n, ...)                                                           \
    CG_OP(cg_splice, .from = (f), .to = (t), .len = (n), __VA_ARGS__)

/* cg_relay(a, b): moves bytes in both directions, as cg_splice does. The end of one stream
 * is passed on (SHUT_WR), and the other direction continues. Completes with 0 when both have
 * ended; a failure in one direction ends both. The sockets stay the caller's. Supports
 * .weak_timeout: bytes in either direction are progress. Partial, like cg_splice. Keywords:
 *   .a_to_b, .b_to_a  pointers to uint64_t, set to the number of bytes moved, whatever the
 *                     result */
#define cg_relay(...) cg__relay(__VA_ARGS__, )
#define cg__relay(x, y, ...) CG_OP(cg_relay, .a = (x), .b = (y), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_splice_type, cg_relay_type;

CG_EXTERN_C_END
#endif
