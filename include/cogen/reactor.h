/* SPDX-License-Identifier: MIT */
/* Reactors: the kernel interfaces, selected by name at run time. Users need the first part;
 * the second is the contract of a backend. See cg_reactor(3) and
 * cg_reactor_type(3). */
#ifndef COGEN_REACTOR_H
#define COGEN_REACTOR_H

#include <cogen/op.h>
#include <cogen/system.h>

struct cg_datagram;
struct cg_reactor;
struct stat;

struct cg_reactor_info {
    const char *name;
    const char *why; /* why it is not available here; NULL: it is available. Static */
};

CG_EXTERN_C_BEGIN

/* Opens a reactor: "select", "poll", "epoll", "kqueue", "libevent", "io_uring" or "sim".
 * NULL: the one that $COGEN_REACTOR names, else the best proven one of this machine (epoll,
 * kqueue, poll, select). Never opens a different one than requested. Returns 0 and the
 * reactor, which the caller closes; CG_EREACTOR: no such name; otherwise why it is not
 * available (cg_reactor_why has it in words): -EOPNOTSUPP: not built in, -EPERM, -EMFILE
 * ...
 *   If standard input, output or error is closed, its number is taken, so that no socket has
 * it and gets what is printed. Reading from it or writing to it still fails. */
CG_API int cg_reactor_open(const char *name, struct cg_reactor **reactor);

/* Closes a reactor, after its scheduler was freed. NULL is ignored. */
CG_API void cg_reactor_close(struct cg_reactor *reactor);

CG_API const char *cg_reactor_name(const struct cg_reactor *reactor);

/* Lists all reactors in order of preference, with the reason for each that is not available
 * here. Fills at most n entries; returns the number of reactors. */
CG_API size_t cg_reactor_list(struct cg_reactor_info *list, size_t n);

/* Explains in one line without its end why cg_reactor_open(name) returned this code: what
 * is missing here or, for an unknown name, which names exist. Like snprintf, writes at
 * most `size` bytes and returns the length of the whole text. */
CG_API int cg_reactor_why(const char *name, int code, char *buf, size_t size);

/* Opens the libevent reactor on the caller's struct event_base (borrowed) instead of one of
 * its own. Returns 0, -EOPNOTSUPP or -ENOMEM. */
CG_API int cg_reactor_open_libevent(void *event_base, struct cg_reactor **reactor);

/* cg_poll(fd, events): waits until a descriptor is ready. Completes with the events that
 * are ready: of CG_IN and CG_OUT those requested, CG_ERR and CG_HUP always. CG_HUP: the
 * connection is gone. CG_HUP with CG_IN: the peer has ended its stream (closed the
 * connection or shut down its sending direction), even if input is still unread. CG_HUP
 * alone waits for just that (-EOPNOTSUPP: this system has no POLLRDHUP). For adapters to
 * other libraries. The descriptor stays the caller's, who must not close it
 * while an operation waits. For a cg_sock use cg_poll_sock. */
enum cg_poll_events {
    CG_IN = 1,
    CG_OUT = 4,
    CG_ERR = 8,
    CG_HUP = 16,
};

extern CG_API const struct cg_op_type cg_poll_type;

CG_EXTERN_C_END

/* What a simulated world may lack. */
enum cg_lack {
    CG_LACKS_MEMORY,  /* for a coroutine, a socket or an input buffer */
    CG_LACKS_THREADS, /* for cg_offload */
    CG_LACKS_NAMES,   /* a good answer to a look-up */
};

/* The order in which ready coroutines run. */
enum cg_order_kind {
    CG_ORDER_USUAL,  /* first come, first served; .prio counts */
    CG_ORDER_RANDOM, /* any of them, each time */
    CG_ORDER_PCT,    /* by random ranks, with few changes: see cg_sim(3) */
};

enum { CG_ORDER_DEPTH = 8 }; /* the greatest .depth */

#ifndef __cplusplus
struct cg_poll_op {
    CG_OP_HEAD;
    struct cg_io *io;
    int fd;
    unsigned events;
};
#define cg_poll(...) cg__poll(__VA_ARGS__, )
#define cg__poll(f, e, ...) CG_OP(cg_poll, .fd = (f), .events = (e), __VA_ARGS__)

/* The contract of a backend. */

/* The requests that a reactor serves. A descriptor is a handle that only its reactor
 * understands. Results are >= 0 or -errno; EINTR and EAGAIN never leave a reactor. */
enum cg_io_code {
    /* These may wait. */
    CG_IO_RECV,     /* data for a stream's input; 0 is its end. See struct cg_io */
    CG_IO_SEND,     /* buf, len: bytes sent, at least 1 (short counts are normal) */
    CG_IO_SENDV,    /* iov, iovcnt: like SEND, gathered */
    CG_IO_SENDFILE, /* file, offset, count: bytes sent; 0: the file has ended */
    CG_IO_RECV_DATAGRAMS, /* datagrams, most: how many were received, 1 to most. A cancelled
                           * request has received none: its result is -ECANCELED */
    CG_IO_SEND_DATAGRAMS, /* like RECV_DATAGRAMS, sent in this order. It stops before one
                           * that fails; the next request returns that error */
    CG_IO_RECV_FDS, /* passed: the bytes received and, in passed->fds, the descriptors that came
                     * with them. A cancelled request has received nothing: -ECANCELED */
    CG_IO_SEND_FDS, /* like RECV_FDS: bytes sent; the descriptors go with the first one */
    CG_IO_SPLICE_IN,  /* file (the end of an empty pipe to write to), count: bytes moved from the
                       * descriptor into the pipe; 0: the stream has ended. Like RECV_FDS, a
                       * cancelled request has moved nothing */
    CG_IO_SPLICE_OUT, /* file (the end of a pipe to read from), count: bytes moved out of the
                       * pipe to the descriptor, at least 1. -EOPNOTSUPP, as for SPLICE_IN:
                       * not with these descriptors. A cancelled request has moved nothing */
    CG_IO_ACCEPT,   /* the new connection's descriptor, non-blocking, close-on-exec. Errors
                     * other than -EBADF, -EINVAL and -ENOTSOCK do not concern the listener:
                     * submit again. The reactor then delays the request (at most 100 ms),
                     * unless the error concerned one connection only */
    CG_IO_CONNECT,  /* addr, addrlen (kept by the caller until completion): 0 */
    CG_IO_POLL,     /* events: those that are ready. CG_HUP alone: the peer has ended its
                     * stream, also while input is unread */
    CG_IO_FILE,     /* call: a call on a plain file; its result. Only those of the reactor's
                     * `files`. A cancelled request may have made the call: then its result
                     * is the true one, otherwise -ECANCELED */
    /* These never wait: submit returns DONE. */
    CG_IO_SOCKET,   /* domain, type, protocol: a new non-blocking descriptor */
    CG_IO_BIND,     /* addr, addrlen */
    CG_IO_SET_PEER, /* addr, addrlen: connects a datagram socket */
    CG_IO_LISTEN,   /* backlog */
    CG_IO_SETOPT,   /* level, name, value, size */
    CG_IO_GETOPT,   /* level, name, value, size (in) and result (out): the size */
    CG_IO_SOCKNAME, /* value, size: a struct sockaddr_storage; result: its size */
    CG_IO_PEERNAME, /* like SOCKNAME, for the peer */
    CG_IO_SHUTDOWN, /* how: SHUT_RD, SHUT_WR, SHUT_RDWR */
    CG_IO_ATTACH,   /* takes over a foreign descriptor: makes it non-blocking */
    CG_IO_CLOSE,    /* closes it; forget was called, nothing is pending on it */
    CG_IO_LOOK,     /* events: those that are ready now, as with POLL; 0: none */
    CG_IO_OFFER,    /* buf, len: SEND of what can be sent at once; 0: nothing */
    CG_IO_DUPLICATE, /* a duplicate of the descriptor, close-on-exec; it is not attached yet */
    CG_IO_QUIET,    /* 1: the reactor knows, without a system call, that up to its last wait
                     * nothing has come which was not received: no bytes, no end of the stream,
                     * no error. Anything else: it does not know; POLL finds out */
    CG_IO_CREDENTIALS, /* value: a struct cg_credentials, of a connected UNIX socket's peer */
    CG_IO_FLUSH,    /* for transports that gather bytes (cg_flush): sends them all; 0. Others
                     * do not get it */
};

enum cg_io_state {
    CG_IO_IDLE,
    CG_IO_PENDING,
    CG_IO_CANCELLING,
};

/* A call on a plain file, kept by the caller until completion. */
enum cg_file_call {
    CG_FILE_OPEN,   /* path, flags, mode, as for openat(2): the descriptor */
    CG_FILE_READ,   /* buf, len, offset: bytes read */
    CG_FILE_WRITE,  /* buf, len, offset: bytes written */
    CG_FILE_SYNC,   /* flags: 1 for fdatasync(2), 0 for fsync(2) */
    CG_FILE_STAT,   /* path, flags, st, as for fstatat(2); path NULL: of fd itself */
    CG_FILE_RENAME, /* path, to */
    CG_FILE_REMOVE, /* path */
};

struct cg_io_file {
    enum cg_file_call call;
    int fd; /* the file, or the directory (AT_FDCWD) where relative paths begin */
    const char *path, *to;
    void *buf;
    size_t len;
    int64_t offset;
    int flags;
    unsigned mode;
    struct stat *st;
    uint64_t room[32]; /* the reactor's */
};

/* Bytes that are passed together with descriptors. */
struct cg_io_passed {
    void *buf;
    size_t len;
    const int *fds;      /* SEND_FDS */
    struct cg_fds *into; /* RECV_FDS */
    int count;           /* of fds */
};

/* One request to a reactor, embedded in the object that it serves (a socket has one for
 * each direction), and reused with the same reactor only. The caller sets the first
 * part. */
struct cg_io {
    uint8_t code;  /* enum cg_io_code */
    uint8_t state; /* enum cg_io_state; the reactor's */
    uint8_t flag;  /* the reactor's */
    uint8_t known; /* the reactor's, kept between requests; 0 at first */
    int fd;
    union {
        struct { /* RECV, SEND, OFFER */
            void *buf;
            size_t len;
            bool closing; /* OFFER: it is closed next, without unread input, so the kernel
                           * may keep the bytes and send them with the stream's end */
        };
        struct { /* SENDV */
            const struct iovec *iov;
            int iovcnt;
            bool more; /* another SENDV or a SENDFILE follows at once: the kernel may keep
                        * the bytes back until then */
        };
        struct { /* SENDFILE, SPLICE_IN, SPLICE_OUT */
            int64_t offset;
            size_t count;
            int file;
        };
        struct { /* RECV_DATAGRAMS, SEND_DATAGRAMS; see cogen/datagram.h */
            struct cg_datagram *datagrams;
            size_t most;
        };
        struct cg_io_passed *passed; /* RECV_FDS, SEND_FDS */
        struct cg_io_file *call;     /* FILE */
        struct { /* CONNECT, BIND, SET_PEER */
            const struct sockaddr *addr;
            socklen_t addrlen;
        };
        struct { /* SOCKET */
            int domain, type, protocol;
        };
        struct { /* SETOPT, GETOPT, SOCKNAME, PEERNAME, CREDENTIALS */
            void *value;
            socklen_t size;
            int level, name;
        };
        unsigned events; /* POLL, LOOK */
        int how;         /* SHUTDOWN */
        int backlog;     /* LISTEN */
    };
    /* Called by the reactor, from within wait, when a pending request has completed. It may
     * submit again, free the request, and forget and close the descriptor. RECV: the data
     * are in chunk if that is set (ownership passes to the callee), else in buf. If state
     * is still PENDING, the request stays armed and completes again when more arrives
     * (multishot). */
    void (*complete)(struct cg_io *io, ssize_t result);
    void *owner;            /* the caller's */
    struct cg_chunk *chunk; /* RECV: the filled buffer, or NULL */
    uintptr_t mark;         /* the reactor's, kept between requests; 0 at first */
    ssize_t result;         /* of a request for which submit returned DONE */
    struct cg_io *next, *prev; /* the reactor's, while pending */
};

/* An input buffer of the reactor's pool. */
struct cg_chunk {
    struct cg_chunk *next;
    uint32_t start, end; /* the unread bytes: data[start] to data[end - 1] */
    uint32_t size;       /* capacity of data: CG_CHUNK_SIZE, or what was asked for */
    uint32_t lent;       /* number of views that borrow from it */
    uint32_t mark;       /* the reactor's */
    char data[];
};

/* An order by a seed. */
struct cg_order {
    enum cg_order_kind kind;
    unsigned depth; /* of PCT: 1 to CG_ORDER_DEPTH */
    uint64_t steps; /* of PCT: coroutines that a run resumes, about; not 0 */
    uint64_t seed;
    /* Called for each coroutine that is to be resumed, the first time with step 1. `chosen` is
     * the order's choice among `count` ready coroutines; 0 is the one at the head of the queue.
     * Returns which one runs, below count. NULL: the chosen one. */
    size_t (*ask)(const struct cg_order *order, uint64_t step, size_t count, size_t chosen);
    /* Told which coroutine runs; NULL: nobody is. */
    void (*tell)(const struct cg_order *order, const struct cg_coro *coro);
};

/* The base of every reactor's own struct. */
struct cg_reactor {
    const struct cg_reactor_type *type;
    int fd; /* readable when wait has something to do; -1: there is no such descriptor */
    bool embedded; /* cg_sched_fd was called */
    bool stepped;  /* cg_sched_step runs it: each wait submits all pending requests */
    bool simulated; /* its clock is not the machine's */
    /* How long each step of an offloaded function takes: until it begins, and until its result
     * has arrived. Not NULL: functions run in the scheduler's thread, after that time, so that
     * a run can be repeated. */
    int64_t (*offload_takes)(struct cg_reactor *reactor);
    unsigned files; /* the calls that it serves by CG_IO_FILE, as bits 1 << CG_FILE_OPEN ... */
    int64_t due; /* moment at which wait itself has something to do; 0: none */
    struct cg_chunk *chunks; /* free ones */
    size_t chunks_free;      /* their number, with the cold ones */
    size_t chunks_out;       /* number of chunks in use */
    struct cg_sched *sched;  /* the scheduler that runs it; NULL: none. The scheduler's */
    const struct cg_order *order; /* of its scheduler, if simulated; NULL: the usual one */
    /* Asked each time when something is needed that a simulated world may lack. NULL: never
     * lacking. */
    bool (*lacks)(struct cg_reactor *reactor, enum cg_lack what);
    const char *name_server; /* of a simulated world; NULL: it has none */
    struct cg_chunk **cold; /* free chunks whose memory was returned to the system */
    size_t chunks_cold;     /* their number */
    /* Called when its loop is idle: returns to the pool the chunks that the kernel holds for
     * input that has not come. NULL: it holds none. */
    void (*recall)(struct cg_reactor *reactor);
    size_t chunks_held; /* their number, if a burst has made it large */
};

static inline bool cg__reactor_lacks(struct cg_reactor *reactor, enum cg_lack what)
{
    return reactor->lacks != NULL && reactor->lacks(reactor, what);
}

/* A backend: eight functions. All but wake are called in the scheduler's thread. */
struct cg_reactor_type {
    const char *name;
    /* Makes a reactor (sets the base's type and fd). Returns 0 or -errno. */
    int (*open)(struct cg_reactor **reactor);
    /* Frees it. No request is pending. */
    void (*close)(struct cg_reactor *reactor);
    /* Starts a request. DONE: io->result (and chunk) are set, complete is not called.
     * PENDING: complete will be called, from within wait (also after a cancel), exactly
     * once for each time that state has returned to IDLE. RECV may read into buf, len (len
     * > 0) or into a chunk of the pool, whichever suits the kernel; with len 0 only into a
     * chunk. A reactor that completes with chunks only sets len to 0. Never suspends. */
    enum cg_verdict (*submit)(struct cg_reactor *reactor, struct cg_io *io);
    /* Takes a pending request back. DONE: nobody holds it, complete is not called, and no
     * byte or connection was consumed. PENDING: complete will be called with -ECANCELED or,
     * if it was too late, with the true result. */
    enum cg_verdict (*cancel)(struct cg_reactor *reactor, struct cg_io *io);
    /* Waits at most timeout ns (0: not at all; CG_NEVER: no limit) until a request has
     * completed, and reaps all completions or the first of them (the next wait then reaps
     * the others without waiting). Returns early when woken. Returns 0 or -errno; -EDEADLK
     * if no request can ever complete (only a simulated world can know). */
    int (*wait)(struct cg_reactor *reactor, int64_t timeout);
    /* A descriptor is about to be closed or detached: forgets its state. No request on it
     * is pending. */
    void (*forget)(struct cg_reactor *reactor, int fd);
    /* Makes the current or the next wait return. Called in any thread or signal handler. */
    void (*wake)(struct cg_reactor *reactor);
    /* The clock, ns. */
    int64_t (*now)(struct cg_reactor *reactor);
    void *reserved[2];
};

enum {
    CG__LINE = 64, /* bytes of a cache line on most machines */
    CG_CHUNK_SIZE = 16 * 1024 - sizeof(struct cg_chunk), /* capacity of a chunk */
};

static inline enum cg_verdict cg_reactor_submit(struct cg_reactor *reactor,
                                                struct cg_io *io)
{
    return reactor->type->submit(reactor, io);
}

/* Take a chunk with start == end == 0 from the pool (NULL: no memory), and return it. */
CG_API struct cg_chunk *cg_chunk_get(struct cg_reactor *reactor);
CG_API void cg_chunk_put(struct cg_reactor *reactor, struct cg_chunk *chunk);

/* Like cg_chunk_get, for at least `size` bytes. A larger chunk than CG_CHUNK_SIZE does not
 * come from the pool. */
CG_API struct cg_chunk *cg_chunk_get_large(struct cg_reactor *reactor, size_t size);

/* For the scheduler, when it is idle: returns the memory of the free chunks to the system. They
 * stay in the pool. */
void cg__chunk_cool(struct cg_reactor *reactor);

#endif
#endif
