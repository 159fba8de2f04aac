/* SPDX-License-Identifier: MIT */
/* Sockets that gather small writes. See cg_flush(3). */
#ifndef COGEN_BUFFERED_H
#define COGEN_BUFFERED_H

#include <cogen/sock.h>

enum {
    CG_BUFFER_MOST = 32 * 1024, /* largest .size of cg_sock_buffer */
};

struct cg_buffer_options {
    size_t size; /* bytes that are gathered at most; 0: nearly 16 KiB */
    void *reserved;
};

#ifndef __cplusplus

struct cg_flush_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    bool done;
};

/* cg_flush(sock): writes the bytes that a socket of cg_sock_buffer has gathered. Completes
 * with 0; of any other socket at once, since it gathers nothing. Partial: what it has not
 * written stays gathered, in order, for the next flush or write. */
#define cg_flush(...) cg__flush(__VA_ARGS__, )
#define cg__flush(s, ...) CG_OP(cg_flush, .sock = (s), __VA_ARGS__)

/* Macro form: cg_sock_buffer(sock, &buffered, .size = 4096). */
#define cg_sock_buffer(...) cg__sock_buffer(__VA_ARGS__, )
#define cg__sock_buffer(sock, out, ...)                                                    \
    cg_sock_buffer_with(sock, CG__OPTIONS(struct cg_buffer_options, __VA_ARGS__), out)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_flush_type;

/* Makes a socket that gathers what is written to it, over `sock`, which belongs to it from
 * then on: closing the new one closes both. A write that fits into the rest of .size is
 * copied and completes at once. One that does not fit waits until everything before it was
 * written; then it is copied, or written itself if it has .size bytes or more. So bytes keep
 * their order. What is gathered is written by
 *   cg_flush, a write that does not fit, and cg_sendfile
 *   cg_shutdown(SHUT_WR) and cg_close_gently: all of it, or they fail
 *   cg_sock_close, which never waits: as much as the kernel takes at once; the rest is lost
 * A cancelled write or flush loses nothing: .moved bytes were written or are gathered, and
 * stay. Reading does not flush. Memory is needed only while bytes are gathered; if there is
 * none, writes are not gathered. sock: a stream of any kind, such as TLS, whose records then
 * are full. Returns 0; -EINVAL: a listener, datagrams, or a size beyond CG_BUFFER_MOST;
 * -EBADF: closed; -ENOMEM; then sock stays the caller's. */
CG_API int cg_sock_buffer_with(struct cg_sock *sock, const struct cg_buffer_options *options,
                               struct cg_sock **buffered);

CG_EXTERN_C_END
#endif
