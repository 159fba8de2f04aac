/* SPDX-License-Identifier: MIT */
/* Sockets: TCP over IPv4 and IPv6, UNIX streams, in-memory pairs. Addresses are text:
 * "127.0.0.1:80", "[::1]:80", "localhost:80", "unix:/path", "unix:@abstract"; for listeners
 * also ":80" (every address) and port 0 (any free port). See cg_sock(3), cg_sock_listen(3) and
 * cg_read(3). */
#ifndef COGEN_SOCK_H
#define COGEN_SOCK_H

#include <cogen/op.h>
#include <cogen/sock_options.h>
#include <cogen/system.h>

struct cg_sock;

enum {
    CG_ADDR_SIZE = 128,          /* a buffer for the text of any address, with its NUL */
    CG_INPUT_LIMIT = 64 * 1024,  /* unread bytes kept for a socket, and the longest line */
    CG_BACKLOG = 4096,           /* default backlog of cg_sock_listen */
    CG_IOV_LIMIT = 1024,         /* most parts of one cg_writev */
};

/* A view of a socket's unread bytes, lent by cg_borrow until cg_view_release. */
struct cg_view {
    const char *data;
    size_t len;
    struct cg_sock *sock;
    void *chunk;
};

struct cg_listen_options {
    CG__STREAM_OPTIONS /* sock_options.h; accepted connections inherit them, except priority */
    int backlog;     /* connections that may wait to be accepted; 0: CG_BACKLOG */
    bool reuse_port; /* sets SO_REUSEPORT */
    bool v6only;     /* a listener on [::] accepts IPv6 only */
    bool take_over;  /* removes a UNIX path first if nobody listens on it any more */
    unsigned mode;   /* permissions of a UNIX path, such as 0660; 0: as the umask says. An
                      * abstract name has none (-EINVAL) */
    const char *owner; /* of a UNIX path, "user", "user:group" or ":group", names or numbers;
                        * NULL: the process's */
    void *reserved;
};

struct cg_attach_options {
    const void *unread; /* what was read already, as cg_sock_detach gives it; it is copied */
    size_t len;
    void *reserved;
};

/* Who is at the other end of a UNIX socket: the process that connected or listened, at that
 * moment. */
struct cg_credentials {
    pid_t pid; /* 0: this system does not tell */
    uid_t uid;
    gid_t gid;
};

#ifndef __cplusplus

/* A line in the caller's buffer, with its "\n", and without a NUL. */
struct cg_line {
    char *text;
    size_t len;
};

struct cg_read_op { /* read, readall, readline, read_to_end */
    CG_OP_HEAD;
    struct cg_sock *sock;
    size_t *moved;
    size_t done;
    size_t len;
    void *buf;
};

struct cg_readlines_op { /* begins like cg_read_op */
    CG_OP_HEAD;
    struct cg_sock *sock;
    size_t *moved;
    size_t done;
    size_t len;
    void *buf;
    struct cg_line *lines;
    size_t most;
};

struct cg_borrow_op {
    CG_OP_HEAD;
    struct cg_sock *sock;
    struct cg_view *view;
    size_t least;
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
    int first : 31; /* the first part that is not completely written */
    bool more : 1;
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
    bool ended; /* the file has ended */
    int64_t offset;
};

struct cg_accept_op { /* accept, drain_listener */
    CG_OP_HEAD;
    struct cg_sock *sock;
    struct cg_sock **conn;
    void (*trouble)(void *arg, int code);
    void *trouble_arg;
    bool looked;
};

struct cg_connect_op {
    CG_OP_HEAD;
    const char *addr;
    struct cg_sock **conn;
    const struct cg_connect_options *options;
    struct cg_sock *sock;        /* connected, not yet stored in *conn */
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

struct cg_wait_input_op {
    CG_OP_HEAD;
    struct cg_sock *at; /* where it waits: the socket, or one below it */
    struct cg_sock *sock;
};

/* All of these may also complete with
 *   -EBADF      the socket was closed meanwhile, or is NULL
 *   -EBUSY      another coroutine reads, or writes, this socket
 *   -ETIMEDOUT, -ECANCELED, and errors of the kernel: -ECONNRESET, -EPIPE ...
 * The sockets and buffers are borrowed. A traceless op that does not complete has consumed
 * nothing. A partial op may have done a part; .moved = &count is set to the number of bytes
 * moved, whatever the result. */

/* cg_read(sock, buf, size): reads 1 to size bytes, as soon as there are any. Completes with
 * their number, 0 at the end of the stream. Traceless. */
#define cg_read(...) cg__read(__VA_ARGS__, )
#define cg__read(s, b, n, ...)                                                             \
    CG_OP(cg_read, .sock = (s), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_readall(sock, buf, size): reads exactly size bytes. Completes with size; CG_EOF: the
 * stream ended before that. Partial (.moved); supports .weak_timeout. */
#define cg_readall(...) cg__readall(__VA_ARGS__, )
#define cg__readall(s, b, n, ...)                                                          \
    CG__OP_OF(cg_read, cg_readall, .sock = (s), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_read_to_end(sock, buf, size): reads until the stream ends. Completes with the number
 * of bytes. -EMSGSIZE: more than size bytes come; size bytes were read, the others are
 * unread. Partial (.moved); supports .weak_timeout. */
#define cg_read_to_end(...) cg__read_to_end(__VA_ARGS__, )
#define cg__read_to_end(s, b, n, ...)                                                      \
    CG__OP_OF(cg_read, cg_read_to_end, .sock = (s), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_readline(sock, buf, size): reads a line with its "\n" and puts a NUL after it.
 * Completes with the line's length. At the end of the stream the last line may lack its
 * "\n"; after it the result is 0. -EMSGSIZE: the line exceeds size - 1 bytes or
 * CG_INPUT_LIMIT; it stays unread. If the connection fails within a line, the op completes
 * with that error, and cg_read can read the incomplete line. Traceless. */
#define cg_readline(...) cg__readline(__VA_ARGS__, )
#define cg__readline(s, b, n, ...)                                                         \
    CG__OP_OF(cg_read, cg_readline, .sock = (s), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_readlines(sock, buf, size, lines, most): reads until the stream ends, and stores where
 * in buf its lines are. Completes with their number; the last one may lack its "\n".
 * -EMSGSIZE: more than size bytes come, as with cg_read_to_end, or there are more than
 * `most` lines; then the first `most` are stored. To take lines as they come, call
 * cg_readline in a loop. Partial (.moved: bytes); supports .weak_timeout. */
#define cg_readlines(...) cg__readlines(__VA_ARGS__, )
#define cg__readlines(s, b, n, l, m, ...)                                                  \
    CG_OP(cg_readlines, .sock = (s), .buf = (b), .len = (n), .lines = (l), .most = (m),    \
          __VA_ARGS__)

/* cg_borrow(sock, &view): waits for unread bytes and lends them without a copy. Completes
 * with view.len, 0 at the end of the stream. The bytes count as unread until
 * cg_view_release(&view, used) removes the first `used` of them. Until then other reads
 * complete with -EBUSY. Traceless. Keywords:
 *   .least        waits until so many bytes are unread, and lends at least these; fewer
 *                 only if the stream or the connection ends before. -EMSGSIZE: more than
 *                 CG_INPUT_LIMIT. -ENOMEM: no memory to put them side by side */
#define cg_borrow(...) cg__borrow(__VA_ARGS__, )
#define cg__borrow(s, v, ...) CG_OP(cg_borrow, .sock = (s), .view = (v), __VA_ARGS__)

/* cg_write(sock, buf, len): writes 1 to len bytes, as many as the socket takes. Completes
 * with their number. Partial. */
#define cg_write(...) cg__write(__VA_ARGS__, )
#define cg__write(s, b, n, ...)                                                            \
    CG_OP(cg_write, .sock = (s), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_writeall(sock, buf, len): writes all bytes. Completes with len. Partial; supports
 * .weak_timeout. */
#define cg_writeall(...) cg__writeall(__VA_ARGS__, )
#define cg__writeall(s, b, n, ...)                                                         \
    CG__OP_OF(cg_write, cg_writeall, .sock = (s), .buf = (b), .len = (n), __VA_ARGS__)

/* cg_writev(sock, iov, iovcnt): writes all parts in order, with as few system calls as
 * possible. Completes with the total. Modifies the iovec array. -EINVAL: more than
 * CG_IOV_LIMIT parts. Partial; supports .weak_timeout. Keywords:
 *   .more   more is written at once, for example by cg_sendfile: the kernel may keep the
 *           bytes back until then (for 200 ms at most), so that both go into one packet */
#define cg_writev(...) cg__writev(__VA_ARGS__, )
#define cg__writev(s, v, n, ...)                                                           \
    CG_OP(cg_writev, .sock = (s), .iov = (v), .iovcnt = (n), __VA_ARGS__)

/* cg_sendfile(sock, file, offset, len): sends len bytes of an open file, starting at
 * offset; neither uses nor moves the file's position. Completes with the number of bytes
 * sent, less than len only if the file ends. Partial; supports .weak_timeout. */
#define cg_sendfile(...) cg__sendfile(__VA_ARGS__, )
#define cg__sendfile(s, f, o, n, ...)                                                      \
    CG_OP(cg_sendfile, .sock = (s), .file = (f), .offset = (o), .len = (n), __VA_ARGS__)

/* cg_accept(listener, &conn): waits for a connection. Completes with 0; the caller closes
 * conn. -EBADF, -EINVAL, -ENOTSOCK: the listener is invalid. Other errors of accept(2) lose
 * at most one connection: the op continues, at once if the error concerns that connection
 * alone, else after a pause of 100 ms. If there is no memory for a connection's socket, the
 * connection is closed. The default timeout does not apply. Traceless. Keywords:
 *   .trouble      called with .trouble_arg and the code of each such error, possibly
 *                 outside coroutines; it must not yield or close the listener */
#define cg_accept(...) cg__accept(__VA_ARGS__, )
#define cg__accept(s, c, ...) CG_OP(cg_accept, .sock = (s), .conn = (c), __VA_ARGS__)

/* cg_drain_listener(listener, &conn): takes the accepts in flight back and completes with
 * 0 and a connection that has come already: one that came after its accept was cancelled,
 * or one that waits in the backlog. To be yielded until it completes with CG_EOF: none has
 * come. It never waits for a connection, only for the kernel to let go of an accept. For a
 * server that ends, before it closes its listener: what has come would be reset. While
 * others listen on the same address connections go on coming, so a server should take
 * CG_BACKLOG of them at most. Errors, memory, .trouble and ownership are as with
 * cg_accept. Traceless. */
#define cg_drain_listener(...) cg__drain_listener(__VA_ARGS__, )
#define cg__drain_listener(s, c, ...)                                                      \
    CG__OP_OF(cg_accept, cg_drain_listener, .sock = (s), .conn = (c), __VA_ARGS__)

/* cg_connect(addr, &conn): connects to an address. Completes with 0; the caller closes
 * conn. A host name is looked up (cg_resolve) and its addresses are raced (RFC 8305): the
 * families alternate; the next address is tried after CG_CONNECT_DELAY, or as soon as one
 * has failed; the first to connect wins. If IPv4 addresses arrive first, those of IPv6 are
 * waited for at most CG_RESOLUTION_DELAY. Timeout and deadline cover all of this; the
 * default timeout does not apply. TCP connections, also accepted ones, have TCP_NODELAY
 * set. Traceless.
 *   CG_EADDR           not a valid address
 *   CG_EHOST           unknown host
 *   CG_ELOOKUP         the host cannot be looked up now
 *   -ECONNREFUSED ...  error of the last attempt to fail; a TCP socket that connected to
 *                      itself counts as refused
 * Keywords:
 *   .options      a struct cg_connect_options (sock_options.h), borrowed, as in
 *                 .options = cg_connect_options(.local = "127.0.0.2:0", .mark = 7). If an
 *                 option cannot be set, the attempt fails with its error */
#define cg_connect(...) cg__connect(__VA_ARGS__, )
#define cg__connect(a, c, ...) CG_OP(cg_connect, .addr = (a), .conn = (c), __VA_ARGS__)

/* cg_shutdown(sock, how): ends one direction or both in an orderly way. SHUT_WR: the peer
 * then reads the end of the stream; SHUT_RD; SHUT_RDWR. Completes with 0. */
#define cg_shutdown(...) cg__shutdown(__VA_ARGS__, )
#define cg__shutdown(s, h, ...) CG_OP(cg_shutdown, .sock = (s), .how = (h), __VA_ARGS__)

/* cg_poll_sock(sock, events): like cg_poll, but unread input counts as readable. A server
 * that leaves input unread can so notice that its client is gone: CG_IN with CG_HUP.
 * Traceless. */
#define cg_poll_sock(...) cg__poll_sock(__VA_ARGS__, )
#define cg__poll_sock(s, e, ...)                                                           \
    CG_OP(cg_poll_sock, .sock = (s), .events = (e), __VA_ARGS__)

/* cg_wait_input(sock): waits until there is something to read: bytes, the end of the stream,
 * or an error, which the next read then reports. Completes with 0. Made for connections that
 * are idle for long: it holds no buffer, and over TLS it needs no coroutine, so that it can
 * wait in a starter (cg_starter(3)). Over TLS it completes when bytes have come that are not
 * decrypted yet, and the next read may have to wait for the rest of them. The default timeout
 * does not apply. Traceless. */
#define cg_wait_input(...) cg__wait_input(__VA_ARGS__, )
#define cg__wait_input(s, ...) CG_OP(cg_wait_input, .sock = (s), __VA_ARGS__)

/* Macro form of cg_sock_listen_with that takes the options as keywords, as in
 * cg_sock_listen(sched, addr, &sock, .backlog = 16). */
#define cg_sock_listen(...) cg__sock_listen(__VA_ARGS__, )
#define cg__sock_listen(sched, addr, out, ...)                                             \
    cg_sock_listen_with(sched, addr, CG__OPTIONS(struct cg_listen_options, __VA_ARGS__), out)

/* Macro form of cg_sock_attach_with, as in
 * cg_sock_attach(sched, fd, &sock, .unread = rest, .len = len). */
#define cg_sock_attach(...) cg__sock_attach(__VA_ARGS__, )
#define cg__sock_attach(sched, fd, out, ...)                                               \
    cg_sock_attach_with(sched, fd, CG__OPTIONS(struct cg_attach_options, __VA_ARGS__), out)

#endif

CG_EXTERN_C_BEGIN

extern CG_API const struct cg_op_type cg_read_type, cg_readall_type, cg_readline_type,
    cg_read_to_end_type, cg_readlines_type,
    cg_borrow_type, cg_write_type, cg_writeall_type, cg_writev_type, cg_sendfile_type,
    cg_accept_type, cg_drain_listener_type, cg_connect_type, cg_shutdown_type,
    cg_poll_sock_type, cg_wait_input_type;

/* Makes a listener on an address; the caller closes *sock. Returns 0 or
 *   -EADDRINUSE, -EACCES   errors of bind(2) and listen(2)
 *   CG_EADDR               not a valid address
 *   CG_EHOST               unknown host
 *   -ENOPROTOOPT, -EINVAL, -EPERM, -ENODEV  an option; see sock_options.h
 *   -EMFILE, -ENOMEM ...
 * A host name stands for all its addresses on this machine (at most 16), with one port:
 * the listener accepts from each of them. It has no descriptor for cg_sock_fd or
 * cg_sock_detach, and cg_sock_local_addr returns the first address. "localhost" is [::1]
 * and 127.0.0.1; any other name is looked up by the system's resolver, which blocks the
 * thread.
 *   A mode and an owner of a UNIX path are set before anybody can connect. -EINVAL: no such
 * user or group, or not a UNIX path; -EPERM: only root gives files away. Names are looked
 * up by the system, which may block the thread.
 *   A UNIX path must not exist. Closing the listener removes the file that it made, also
 * after a chdir, and never another file. A server that was killed leaves its file behind:
 * .take_over removes it first if nobody listens on it (a connect is refused). The
 * directory is locked meanwhile (flock). If somebody else holds that lock, listens on the
 * path, or the file is not a socket, the result is -EADDRINUSE. */
CG_API int cg_sock_listen_with(struct cg_sched *sched, const char *addr,
                               const struct cg_listen_options *options,
                               struct cg_sock **sock);

/* Closes a socket and frees it. Operations that wait on it complete with -EBADF, also those
 * that have completed but whose coroutines have not run since: bytes that they read are
 * lost, a view is withdrawn, an accepted connection is closed; .moved says how much was
 * moved. Ends the views borrowed from the socket. Never waits, never fails. NULL is
 * ignored. */
CG_API void cg_sock_close(struct cg_sock *sock);

/* Ends a view: the first `used` bytes have been read, the others stay unread. */
CG_API void cg_view_release(struct cg_view *view, size_t used);

/* Makes two connected streams in memory, without a descriptor, on any reactor. The caller
 * closes both. Returns 0 or -ENOMEM. */
CG_API int cg_sock_pair(struct cg_sched *sched, struct cg_sock **a, struct cg_sock **b);

/* Makes a socket of a connected stream descriptor (socket, pipe, terminal), of a datagram
 * socket (cogen/datagram.h), or a listener of a listening one (for example inherited from
 * systemd). Ownership of the descriptor passes to the library, which makes it
 * non-blocking. That affects everything that shares its open file, such as standard output
 * on the same terminal; there use cg_poll and read(2). The bytes of .unread are read
 * first. Returns 0 or -errno (-EINVAL: .unread for a listener or datagrams); then the
 * descriptor stays the caller's. */
CG_API int cg_sock_attach_with(struct cg_sched *sched, int fd,
                               const struct cg_attach_options *options,
                               struct cg_sock **sock);

/* Takes the descriptor out of the socket and frees the socket. *rest and *len are set to
 * the unread bytes (the caller calls free; NULL: none). If the kernel still holds a receive
 * request, blocks until it has returned it, for at most 32 ms. Returns the descriptor;
 * -EBUSY: an operation waits on the socket; -EOPNOTSUPP: it has no descriptor; -ENOMEM. */
CG_API int cg_sock_detach(struct cg_sock *sock, void **rest, size_t *len);

/* Write the addresses as text; a buffer of CG_ADDR_SIZE bytes is enough. After
 * cg_read_proxy_header that of the peer is the client's that a proxy has told. Return 0 or
 * -errno. */
CG_API int cg_sock_local_addr(struct cg_sock *sock, char *buf, size_t size);
CG_API int cg_sock_peer_addr(struct cg_sock *sock, char *buf, size_t size);

/* Sets whether closing a listener removes the file of its UNIX path, which is the default.
 * Pass false if another process continues to use a copy of the listener. Returns 0;
 * -EOPNOTSUPP: not a listener that cg_sock_listen has bound to a path; -EBADF. */
CG_API int cg_sock_set_unlink(struct cg_sock *sock, bool unlink);

/* Stores who is at the other end of a UNIX socket, also below TLS. Returns 0; -EOPNOTSUPP:
 * not a UNIX socket, or this system cannot tell; -ENOTCONN, -EBADF ... */
CG_API int cg_sock_peer_credentials(struct cg_sock *sock, struct cg_credentials *who);

/* Like setsockopt(2) and getsockopt(2). Return 0 or -errno. -EINVAL: also SO_LINGER with a time,
 * since a close never waits; cg_close_gently does. */
CG_API int cg_sock_setopt(struct cg_sock *sock, int level, int name, const void *value,
                          size_t size);
CG_API int cg_sock_getopt(struct cg_sock *sock, int level, int name, void *value,
                          size_t *size);

/* Whether it is known, at no cost, that nothing has come on a socket which nobody reads: neither
 * bytes nor the end of the stream nor an error. What came since the scheduler last looked at the
 * reactor, at most a turn ago, is not known yet. False: something has come, or the reactor does
 * not know (select, poll), or the socket has another transport, such as TLS; cg_poll_sock finds
 * out. Made for connections that are kept for later: to check one before it is used. Never
 * waits. */
CG_API bool cg_sock_is_quiet(struct cg_sock *sock);

/* Sets the default timeout of this socket's operations except accept, in ns, instead of the
 * scheduler's. 0: the scheduler's default applies again. */
CG_API void cg_sock_set_timeout(struct cg_sock *sock, int64_t timeout);

/* The descriptor, for options that the library does not know; it stays the socket's.
 * -EOPNOTSUPP: there is none. */
CG_API int cg_sock_fd(const struct cg_sock *sock);

CG_EXTERN_C_END
#endif
