/* SPDX-License-Identifier: MIT */
/* The PROXY protocol: a proxy begins a connection with a header that names its client. See
 * cg_read_proxy_header(3). */
#ifndef COGEN_PROXIED_H
#define COGEN_PROXIED_H

#include <cogen/sock.h>

#define CG_PROXY_HEADER_TIMEOUT (5 * CG_SECOND) /* of cg_serve for a whole header */

#ifndef __cplusplus

struct cg_read_proxy_header_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    const char *from;
    bool kept;
};

struct cg_write_proxy_header_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    const char *client, *server;
    unsigned version;
    bool kept;
};

/* cg_read_proxy_header(sock): reads the header of the PROXY protocol, version 1 or 2, with which a
 * connection begins, at most 4 KiB. Completes with 1 if the header names the client, whose
 * address cg_sock_peer_addr(sock) returns from now on ("unix:" for a UNIX socket), and with 0
 * if it names none, as for the proxy's own checks. Yielded again, it completes with the same.
 * Only connections of proxies that are trusted may begin so: the header is a claim. -EPROTO:
 * the header is invalid; CG_EOF: the stream has ended; -ENOMEM; -EBUSY: another coroutine
 * reads, or a view is lent; and errors of the connection. A header that is incomplete or
 * invalid stays unread. Traceless. Keywords:
 *   .from   the proxies that begin connections so: addresses and networks, "10.0.0.0/8, ::1", or
 *           "unix". On a connection of another peer nothing is read, and it completes with 0;
 *           -EINVAL: an item is none of these. NULL: every peer begins so */
#define cg_read_proxy_header(...) cg__read_proxy_header(__VA_ARGS__, )
#define cg__read_proxy_header(s, ...) CG_OP(cg_read_proxy_header, .sock = (s), __VA_ARGS__)

/* cg_write_proxy_header(sock, client, server): writes such a header, before anything else. `client`
 * and `server` are the ends of the client's connection, as cg_sock_peer_addr and cg_sock_local_addr
 * return them; if one is not an IP address with a port, the header says that they are unknown.
 * client NULL: the connection serves nobody else. Completes with 0 when all is written; -EINVAL:
 * the version. Other results are those of cg_writeall. Partial. Keywords:
 *   .version   1 or 2; 0: 2 */
#define cg_write_proxy_header(...) cg__write_proxy_header(__VA_ARGS__, )
#define cg__write_proxy_header(s, c, v, ...)                                               \
    CG_OP(cg_write_proxy_header, .sock = (s), .client = (c), .server = (v), __VA_ARGS__)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_read_proxy_header_type, cg_write_proxy_header_type;

CG_EXTERN_C_END

#endif
