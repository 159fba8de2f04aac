/* SPDX-License-Identifier: MIT */
/* Passing descriptors over UNIX stream sockets. See cg_send_fds(3). */
#ifndef COGEN_PASSING_H
#define COGEN_PASSING_H

#include <cogen/reactor.h>
#include <cogen/sock.h>

enum {
    CG_FDS_MOST = 16, /* descriptors that are passed at once */
};

struct cg_fds {
    int count;
    int fds[CG_FDS_MOST];
};

#ifndef __cplusplus

struct cg_send_fds_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    size_t *moved;
    size_t done;
    size_t len;
    struct cg_io_passed passed;
};

struct cg_receive_fds_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    ssize_t got; /* what the request has received; -1: nothing yet */
    struct cg_io_passed passed;
};

/* cg_send_fds(sock, buf, len, fds, count): writes all bytes, at least one; the descriptors
 * go with the first. They stay open here: the peer gets copies. Completes with len.
 * -EINVAL: no bytes, or not 1 to CG_FDS_MOST descriptors; -EBADF: one of them is not open;
 * -EOPNOTSUPP: not a UNIX socket. In a simulated world handles are passed on, also to other
 * hosts, and descriptors of the kernel. Partial: unless .moved is 0, they were
 * passed. */
#define cg_send_fds(...) cg__send_fds(__VA_ARGS__, )
#define cg__send_fds(s, b, n, f, c, ...)                                                   \
    CG_OP(cg_send_fds, .sock = (s), .len = (n),                                            \
          .passed = ((struct cg_io_passed){(void *)(b), (n), (f), NULL, (c)}), __VA_ARGS__)

/* cg_receive_fds(sock, buf, size, &fds): reads 1 to size bytes and the descriptors that
 * came with them, close-on-exec, which the caller closes. Completes with the number of
 * bytes, 0 at the end of the stream; fds.count says how many descriptors came, 0 if none
 * did. Other reads of such a socket lose the descriptors: use this one until they have
 * come. Unread input is read first. -EMSGSIZE: more than CG_FDS_MOST came; -EMFILE: there
 * was no room for all of them; then all are closed, and the bytes are gone. -EOPNOTSUPP:
 * not a UNIX socket. A handle of a simulated world becomes a socket by cg_sock_attach, and
 * is closed with it. Traceless. */
#define cg_receive_fds(...) cg__receive_fds(__VA_ARGS__, )
#define cg__receive_fds(s, b, n, f, ...)                                                   \
    CG_OP(cg_receive_fds, .sock = (s),                                                     \
          .passed = ((struct cg_io_passed){(b), (n), NULL, (f), 0}), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_send_fds_type, cg_receive_fds_type;

CG_EXTERN_C_END
#endif
