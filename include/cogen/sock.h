/* SPDX-License-Identifier: MIT */
/* Sockets: TCP over IPv4 and IPv6, UNIX streams, in-memory pairs. Addresses are text:
 * "127.0.0.1:80", "[::1]:80", "localhost:80", "unix:/path", "unix:@abstract"; a listener
 * may also say ":80" (every address) and port 0 (any free port). See cg_sock(3). */
#ifndef COGEN_SOCK_H
#define COGEN_SOCK_H

#include <cogen/op.h>
#include <cogen/system.h>

struct cg_sock;

enum {
    CG_ADDR_SIZE = 128,          /* room for the text of any address, with its NUL */
    CG_INPUT_LIMIT = 64 * 1024,  /* unread bytes kept for a socket, and the longest line */
    CG_BACKLOG = 1024,           /* default of cg_sock_listen */
    CG_IOV_LIMIT = 1024,         /* parts of one gather write */
};

/* A view of a socket's unread bytes, lent by cg_borrow until cg_view_release. */
struct cg_view {
    const char *data;
    size_t size;
    struct cg_sock *sock;
    void *chunk;
};

struct cg_listen_options {
    int backlog;     /* 0: CG_BACKLOG */
    bool reuse_port; /* SO_REUSEPORT */
    bool v6only;     /* a listener on [::] takes IPv6 only */
    bool take_over;  /* a UNIX path that nobody listens on any more is removed first */
    void *reserved;
};

#ifndef __cplusplus

struct cg_read_op { /* read, readall, readline */
    CG_OP_HEAD;
    struct cg_sock *sock;
    size_t *moved;
    size_t done;
    size_t len;
    void *buf;
};

struct cg_borrow_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    struct cg_view *view;
};

struct cg_write_op { /* write, writeall */
    CG_OP_HEAD;
    struct cg_sock *sock;
    size_t *moved;
    size_t done;
    size_t len;
    const void *buf;
};

struct cg_writev_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    size_t *moved;
    size_t done;
    int first; /* the first part not yet written */
    int iovcnt;
    struct iovec *iov;
};

struct cg_sendfile_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    size_t *moved;
    size_t done;
    size_t len;
    int file;
    bool ended; /* the file has no more */
    int64_t offset;
};

struct cg_accept_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    struct cg_sock **conn;
    void (*trouble)(void *arg, int code);
    void *trouble_arg;
};

struct cg_connect_op {
    CG_OP_HEAD;
    const char *addr;
    struct cg_sock **conn;
    struct cg_sock *sock;        /* connected, not yet handed over */
    struct cg__attempt *attempt; /* pending */
};

struct cg_shutdown_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    int how;
    bool done;
};

struct cg_poll_sock_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    unsigned events;
};

/* All of these may also answer -EBADF (the socket was closed meanwhile or is no open one),
 * -EBUSY (another coroutine reads, or writes, this socket), -ETIMEDOUT, -ECANCELED and what
 * the kernel says: -ECONNRESET, -EPIPE ... The sockets and buffers are borrowed. Traceless:
 * if it does not complete nothing was consumed. Partial: it may have done part, and
 * .moved = &count is set to how much, whatever the answer. */

/* cg_read(sock, buf, len): 1 to len bytes as they come; 0 at the end of the stream.
 * Traceless. */
#define cg_read(...) cg__read(__VA_ARGS__, )
#define cg__read(s, b, n, ...)                                                             \
    CG_OP(cg_read, .sock = (s), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_readall(sock, buf, len): exactly len bytes; CG_EOF if the stream ends before. Partial
 * (.moved); takes .weak_timeout. */
#define cg_readall(...) cg__readall(__VA_ARGS__, )
#define cg__readall(s, b, n, ...)                                                          \
    CG__OP_OF(cg_read, cg_readall, .sock = (s), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_readline(sock, buf, size): a line with its "\n", and a NUL after it; answers its
 * length. At the end of the stream: the rest without "\n", then 0. -EMSGSIZE: the line does
 * not fit in size - 1 bytes (nor in CG_INPUT_LIMIT); it stays unread. If the connection
 * fails within a line, that is the answer, and the piece can be had from cg_read.
 * Traceless. */
#define cg_readline(...) cg__readline(__VA_ARGS__, )
#define cg__readline(s, b, n, ...)                                                         \
    CG__OP_OF(cg_read, cg_readline, .sock = (s), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_borrow(sock, &view): waits for unread bytes and lends them without a copy; answers
 * view.size, 0 at the end of the stream. The bytes count as unread until
 * cg_view_release(&view, used) takes `used` of them away; until then no other read
 * (-EBUSY). Traceless. */
#define cg_borrow(...) cg__borrow(__VA_ARGS__, )
#define cg__borrow(s, v, ...) CG_OP(cg_borrow, .sock = (s), .view = (v), __VA_ARGS__)

/* cg_write(sock, buf, len): writes 1 to len bytes, as many as can be had; answers how many.
 * Partial. */
#define cg_write(...) cg__write(__VA_ARGS__, )
#define cg__write(s, b, n, ...)                                                            \
    CG_OP(cg_write, .sock = (s), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_writeall(sock, buf, len): writes all of it; answers len. Partial; takes
 * .weak_timeout. */
#define cg_writeall(...) cg__writeall(__VA_ARGS__, )
#define cg__writeall(s, b, n, ...)                                                         \
    CG__OP_OF(cg_write, cg_writeall, .sock = (s), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_writev(sock, iov, iovcnt): writes all parts in order, with as few system calls as
 * possible; answers the sum. The iovec array is changed on the way. -EINVAL: more than
 * CG_IOV_LIMIT parts. Partial; takes .weak_timeout. */
#define cg_writev(...) cg__writev(__VA_ARGS__, )
#define cg__writev(s, v, n, ...)                                                           \
    CG_OP(cg_writev, .sock = (s), .iov = (v), .iovcnt = (n), __VA_ARGS__)

/* cg_sendfile(sock, file, offset, len): sends len bytes of an open file from offset on
 * (its own position is neither used nor moved); answers how many: less than len only where
 * the file ends. Partial; takes .weak_timeout. */
#define cg_sendfile(...) cg__sendfile(__VA_ARGS__, )
#define cg__sendfile(s, f, o, n, ...)                                                      \
    CG_OP(cg_sendfile, .sock = (s), .file = (f), .offset = (o), .len = (n), __VA_ARGS__)

/* cg_accept(listener, &conn): waits for a connection; 0, and the caller closes it. The
 * default timeout does not apply. -EBADF, -EINVAL, -ENOTSOCK: something is wrong with the
 * listener. Any other error of the kernel's accept costs a connection at most: the op goes
 * on, after a pause of 100 ms unless the error was of that connection alone. One that there
 * is no memory for is closed. Traceless. Keywords:
 *   .trouble      called with .trouble_arg and such an error, each time, outside
 *                 coroutines; it may not yield, nor close the listener (NULL) */
#define cg_accept(...) cg__accept(__VA_ARGS__, )
#define cg__accept(s, c, ...) CG_OP(cg_accept, .sock = (s), .conn = (c), __VA_ARGS__)

/* cg_connect(addr, &conn): connects to an address; 0, and the caller closes conn. A host's
 * name is looked up (cg_resolve) and its addresses are raced as RFC 8305 says: the families
 * in turn, the next one after CG_CONNECT_DELAY or as soon as one has failed; the first to
 * connect wins. If IPv4 is answered first, IPv6 is waited for at most CG_RESOLUTION_DELAY.
 * Timeout and deadline are of all this together. CG_EADDR: not an address; CG_EHOST:
 * unknown host; CG_ELOOKUP: it cannot be looked up now; -ECONNREFUSED ... (of the last to
 * fail; also where TCP has connected a socket to itself). The default timeout does not
 * apply. TCP connections, accepted ones too, have TCP_NODELAY set. Traceless. */
#define cg_connect(...) cg__connect(__VA_ARGS__, )
#define cg__connect(a, c, ...) CG_OP(cg_connect, .addr = (a), .conn = (c), __VA_ARGS__)

/* cg_shutdown(sock, how): ends one direction (SHUT_WR: the peer reads the end of the
 * stream; SHUT_RD; SHUT_RDWR) in an orderly way. 0. */
#define cg_shutdown(...) cg__shutdown(__VA_ARGS__, )
#define cg__shutdown(s, h, ...) CG_OP(cg_shutdown, .sock = (s), .how = (h), __VA_ARGS__)

/* cg_poll_sock(sock, events): as cg_poll; unread input counts as readable. So a server that
 * lets input wait can still see that its client is gone: CG_IN with CG_HUP. Traceless. */
#define cg_poll_sock(...) cg__poll_sock(__VA_ARGS__, )
#define cg__poll_sock(s, e, ...)                                                           \
    CG_OP(cg_poll_sock, .sock = (s), .events = (e), __VA_ARGS__)

/* cg_sock_listen(sched, addr, &sock): cg_sock_listen_with with keywords, as in .backlog =
 * 16. */
#define cg_sock_listen(...) cg__sock_listen(__VA_ARGS__, )
#define cg__sock_listen(sched, addr, out, ...)                                             \
    cg_sock_listen_with(sched, addr, CG__OPTIONS(struct cg_listen_options, __VA_ARGS__), out)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_read_type, cg_readall_type, cg_readline_type,
    cg_borrow_type, cg_write_type, cg_writeall_type, cg_writev_type, cg_sendfile_type,
    cg_accept_type, cg_connect_type, cg_shutdown_type, cg_poll_sock_type;

/* Listens on an address. The caller closes *sock. A host's name stands for all its
 * addresses that this machine has (at most 16), with one port: the listener accepts from
 * each of them, has no descriptor that cg_sock_fd or cg_sock_detach could return, and
 * cg_sock_local_addr is the first. "localhost" is [::1] and 127.0.0.1; any other name is
 * looked up by the system's resolver, for which the thread waits. 0; -EADDRINUSE, -EACCES,
 * CG_EADDR (not an address), CG_EHOST (unknown host), -EMFILE, -ENOMEM ...
 *   A UNIX path must not exist. The listener's close removes the file that it made, also
 * after a chdir, and never another. A server that was killed leaves its file behind: with
 * .take_over it is removed first if nobody listens there (a connect is refused). Whoever
 * does that locks the folder meanwhile (flock); somebody else's lock, a listener or another
 * kind of file is -EADDRINUSE. */
CG_API int cg_sock_listen_with(struct cg_sched *sched, const char *addr,
                               const struct cg_listen_options *options,
                               struct cg_sock **sock);

/* Closes a socket and frees it: whoever waits on it is answered -EBADF, also if its
 * operation has completed and only its coroutine has not run since (what was read is lost
 * then, a view is withdrawn, an accepted connection closed; .moved says how much was
 * moved). Never waits, never fails; NULL is ignored. Views borrowed from it end here. */
CG_API void cg_sock_close(struct cg_sock *sock);

/* Ends the use of a view: `used` of its bytes have been read, the others stay unread. */
CG_API void cg_view_release(struct cg_view *view, size_t used);

/* Two connected in-memory streams, without a descriptor, on any reactor. 0 or -ENOMEM. */
CG_API int cg_sock_pair(struct cg_sched *sched, struct cg_sock **a, struct cg_sock **b);

/* Makes a socket of a connected stream descriptor (socket, pipe, tty), or a listener of a
 * listening one (inherited from systemd, say), which is the library's from then on and
 * non-blocking: so is whatever else shares it (a terminal that is also standard output;
 * there cg_poll and read do). 0 or -errno (it stays yours). */
CG_API int cg_sock_attach(struct cg_sched *sched, int fd, struct cg_sock **sock);

/* Takes the descriptor back out and frees the socket. Unread bytes are handed over in
 * *rest (malloc'd, the caller frees it; NULL if none) and *size. A kernel that has a
 * receive under way is looked at until it has let go, at most 32 ms. The descriptor, or
 * -EBUSY (somebody waits on it), -EOPNOTSUPP (it has none), -ENOMEM. */
CG_API int cg_sock_detach(struct cg_sock *sock, void **rest, size_t *size);

/* The addresses as text, in buf of CG_ADDR_SIZE. 0 or -errno. */
CG_API int cg_sock_local_addr(struct cg_sock *sock, char *buf, size_t size);
CG_API int cg_sock_peer_addr(struct cg_sock *sock, char *buf, size_t size);

/* Socket options as setsockopt and getsockopt have them. 0 or -errno. */
CG_API int cg_sock_setopt(struct cg_sock *sock, int level, int name, const void *value,
                          size_t size);
CG_API int cg_sock_getopt(struct cg_sock *sock, int level, int name, void *value,
                          size_t *size);

/* The default timeout of this socket's waits (not accept), instead of the scheduler's;
 * 0: the scheduler's again. ns. */
CG_API void cg_sock_set_timeout(struct cg_sock *sock, int64_t timeout);

/* The descriptor, for options that we do not know; -EOPNOTSUPP: there is none. It stays
 * the socket's. */
CG_API int cg_sock_fd(const struct cg_sock *sock);

CG_EXTERN_C_END
#endif
