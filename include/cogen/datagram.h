/* SPDX-License-Identifier: MIT */
/* Datagram sockets: UDP over IPv4 and IPv6, and UNIX datagrams. Such a socket is a
 * struct cg_sock: cg_sock_close, the addresses, options and timeouts of cogen/sock.h work
 * on it, and cg_poll_sock. Operations on streams complete with -EOPNOTSUPP on it, and those
 * on datagrams do so on a stream. See cg_datagram(3). */
#ifndef COGEN_DATAGRAM_H
#define COGEN_DATAGRAM_H

#include <cogen/op.h>
#include <cogen/resolve.h>
#include <cogen/sock.h>

/* Where a datagram was received, if the socket was opened with .info. A send uses the
 * first two fields only: the source address and the outgoing interface; zero: the kernel
 * chooses. */
struct cg_datagram_info {
    struct cg_addr local; /* without a port; len 0: unknown */
    unsigned interface;   /* its index; 0: unknown */
    int ttl;              /* time to live, or hop limit; -1: unknown */
    int ecn;              /* the two bits of RFC 3168, 0 to 3; -1: unknown */
};

/* One datagram of many. All memory is the caller's. */
struct cg_datagram {
    void *buf;
    size_t size;  /* of buf, to receive */
    size_t len;   /* bytes in buf: received, or to send. 0 is a datagram, too */
    size_t whole; /* received: the datagram's own length; if it is larger than len, the rest
                   * is lost */
    struct cg_addr *addr; /* the sender (len 0: it has none), or where to send to. NULL: not
                           * wanted, or the socket's peer */
    struct cg_datagram_info *info; /* NULL: not wanted */
};

struct cg_datagram_options {
    const char *peer; /* connects: sends to this address by default, and receives from it
                       * only. Numeric, "localhost:PORT", or of a UNIX socket */
    const char *device;              /* "eth0": uses this interface only (SO_BINDTODEVICE) */
    const char *multicast_interface; /* "eth0": sends multicasts on this interface */
    int ttl;            /* of sent datagrams, 1 to 255; 0: the system's default */
    int multicast_ttl;  /* of sent multicasts; 0: 1, so that they stay in the local network */
    int tos;            /* the TOS byte or traffic class, with the ECN bits; 0: none */
    int receive_buffer; /* of the kernel, bytes; 0: its default */
    int send_buffer;
    bool reuse_port;    /* sets SO_REUSEPORT */
    bool reuse_addr;    /* sets SO_REUSEADDR: several sockets receive the same multicasts */
    bool v6only;        /* a socket on [::] receives no IPv4 */
    bool broadcast;     /* may send to broadcast addresses */
    bool dont_fragment; /* a datagram that exceeds the path's MTU fails with -EMSGSIZE */
    bool info;          /* received datagrams carry their struct cg_datagram_info */
    bool multicast_quiet; /* this host does not receive the multicasts that the socket sends */
    bool take_over; /* removes a UNIX path first if no socket is bound to it any more */
    void *reserved;
};

struct cg_multicast_options {
    const char *interface; /* "eth0"; NULL: the kernel chooses */
    const char *source;    /* numeric: only datagrams from this host */
    void *reserved;
};

#ifndef __cplusplus

struct cg_receive_from_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    size_t *moved;
    size_t done;
    size_t len;
    struct cg_datagram *list;
    size_t *whole;
    struct cg_datagram one;
};

struct cg_send_to_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    size_t *moved;
    size_t done;
    size_t len;
    struct cg_datagram *list;
    const char *text;
    struct cg_datagram one;
    struct cg_addr parsed;
};

struct cg_datagrams_op { /* receive_datagrams, send_datagrams */
    CG_OP_HEAD;
    struct cg_sock *sock;
    size_t *moved;
    size_t done;
    size_t len;
    struct cg_datagram *list;
};

/* All of these may also complete with
 *   -EBADF       the socket was closed meanwhile, or is NULL
 *   -EBUSY       another coroutine receives, or sends, on this socket
 *   -EOPNOTSUPP  it is not a datagram socket
 *   -ETIMEDOUT, -ECANCELED, and errors of the kernel. -ECONNREFUSED and other errors of the
 * network concern an earlier datagram to the socket's peer; the kernel reports each to one
 * operation, and the socket stays usable. A receive that does not complete leaves all
 * datagrams to the next one. */

/* cg_receive_from(sock, buf, size, &from): receives one datagram. Completes with its
 * length, which may be 0, and stores the sender in *from (len 0: it has no address) unless
 * that is NULL. -EMSGSIZE: the datagram is longer than size; buf has its first size bytes,
 * the others are lost. Traceless. Keywords:
 *   .whole = &len  no -EMSGSIZE: completes with the number of bytes in buf; len is set to
 *                  the datagram's own length (to more than size, where the system does not
 *                  tell it) */
#define cg_receive_from(...) cg__receive_from(__VA_ARGS__, )
#define cg__receive_from(s, b, n, from, ...)                                               \
    CG_OP(cg_receive_from, .sock = (s),                                                    \
          .one = ((struct cg_datagram){.buf = (b), .size = (n), .addr = (from)}), __VA_ARGS__)

/* cg_send_to(sock, buf, len, to): sends one datagram, whole or not at all, to an address:
 * text as in cg_datagram_options.peer, a struct cg_addr *, or NULL: the peer. Completes
 * with len. Traceless.
 *   CG_EADDR   not a valid address; look a host's name up first (cg_resolve)
 *   -EMSGSIZE  longer than a datagram can be here
 *   -EDESTADDRREQ, -EACCES (broadcast), -ENETUNREACH ... */
#define cg_send_to(...) cg__send_to(__VA_ARGS__, )
#define cg__send_to(s, b, n, to, ...)                                                      \
    CG_OP(cg_send_to, .sock = (s), .text = CG__TEXT(to),                                   \
          .one = ((struct cg_datagram){                                                    \
              .buf = (void *)(b), .len = (n), .addr = CG__NO_TEXT(to)}),                   \
          __VA_ARGS__)
#define CG__TEXT(to) _Generic((to), char *: (to), const char *: (to), default: NULL)
#define CG__NO_TEXT(to)                                                                    \
    _Generic((to), char *: NULL, const char *: NULL,                                       \
             const struct cg_addr *: (struct cg_addr *)(to), default: (to))

/* cg_receive_datagrams(sock, list, n): waits for a datagram and receives as many as there
 * are, 1 to n, with one system call where the kernel can. Completes with their number.
 * Traceless. */
#define cg_receive_datagrams(...) cg__receive_datagrams(__VA_ARGS__, )
#define cg__receive_datagrams(s, l, n, ...)                                                \
    CG__OP_OF(cg_datagrams, cg_receive_datagrams, .sock = (s), .list = (l), .len = (n),    \
              __VA_ARGS__)

/* cg_send_datagrams(sock, list, n): sends n datagrams in order. Completes with n, or with
 * the error of the first that fails; the others are not sent then. Partial: .moved is the
 * number of datagrams sent, and so the index of the one that failed. */
#define cg_send_datagrams(...) cg__send_datagrams(__VA_ARGS__, )
#define cg__send_datagrams(s, l, n, ...)                                                   \
    CG__OP_OF(cg_datagrams, cg_send_datagrams, .sock = (s), .list = (l), .len = (n), __VA_ARGS__)

/* Macro forms that take the options as keywords, as in
 * cg_datagram_open(sched, ":5353", &sock, .reuse_addr = true). */
#define cg_datagram_open(...) cg__datagram_open(__VA_ARGS__, )
#define cg__datagram_open(sched, local, out, ...)                                          \
    cg_datagram_open_with(sched, local, CG__OPTIONS(struct cg_datagram_options, __VA_ARGS__), out)
#define cg_datagram_join(...) cg__datagram_join(__VA_ARGS__, )
#define cg__datagram_join(s, group, ...)                                                   \
    cg_datagram_join_with(s, group, CG__OPTIONS(struct cg_multicast_options, __VA_ARGS__))
#define cg_datagram_leave(...) cg__datagram_leave(__VA_ARGS__, )
#define cg__datagram_leave(s, group, ...)                                                  \
    cg_datagram_leave_with(s, group, CG__OPTIONS(struct cg_multicast_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_receive_from_type, cg_send_to_type,
    cg_receive_datagrams_type, cg_send_datagrams_type;

/* Opens a datagram socket on a local address (text as for cg_sock_listen); the caller
 * closes *sock. NULL: the kernel chooses an address for the peer's family, or none for a
 * UNIX socket, whose peer then cannot reply. Waits only for a local host name, which the
 * system's resolver looks up. Returns 0 or
 *   -EADDRINUSE, -EACCES   errors of bind(2)
 *   -ECONNREFUSED, -ENOENT no socket is bound to the UNIX peer
 *   CG_EADDR               not a valid address
 *   -EINVAL                neither an address nor a peer, or an option out of range
 *   -ENODEV                no such interface
 *   -ENOPROTOOPT           this system lacks an option
 *   -EMFILE, -ENOMEM ...
 * The rules for UNIX paths are those of cg_sock_listen. */
CG_API int cg_datagram_open_with(struct cg_sched *sched, const char *local,
                                 const struct cg_datagram_options *options,
                                 struct cg_sock **sock);

/* Join and leave a multicast group, "239.1.2.3" or "ff02::fb", on an interface, for all
 * sources or for one. Return 0 or
 *   CG_EADDR        the group or the source is not a numeric address, or their families
 *                   differ
 *   -EINVAL         not a multicast address
 *   -ENODEV         no such interface, or none for this group
 *   -EADDRINUSE     joined already
 *   -EADDRNOTAVAIL  not joined
 *   -EOPNOTSUPP     not a datagram socket
 *   -EBADF, -ENOBUFS ... */
CG_API int cg_datagram_join_with(struct cg_sock *sock, const char *group,
                                 const struct cg_multicast_options *options);
CG_API int cg_datagram_leave_with(struct cg_sock *sock, const char *group,
                                  const struct cg_multicast_options *options);

CG_EXTERN_C_END
#endif
