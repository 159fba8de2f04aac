/* SPDX-License-Identifier: MIT */
/* Reactors: the kernel interfaces, chosen by name at run time. Users need the first part;
 * the second is the contract of a backend. See cg_reactor(3). */
#ifndef COGEN_REACTOR_H
#define COGEN_REACTOR_H

#include <cogen/op.h>
#include <cogen/system.h>

struct cg_reactor;

struct cg_reactor_info {
    const char *name;
    const char *why; /* why it is unavailable here; NULL: it is available. Static */
};

CG_EXTERN_C_BEGIN

/* Opens a reactor: "select", "poll", "epoll", "kqueue", "libevent", "io_uring" or "sim".
 * NULL: the one that $COGEN_REACTOR names, else the best proven one of this machine (epoll,
 * kqueue, poll, select). Answers 0 and the reactor, which the caller closes; CG_EREACTOR:
 * no such name; otherwise why it is unavailable: -EOPNOTSUPP not built in, -EPERM, -EMFILE
 * ... (cg_reactor_why has it in words). Never opens a different one than asked for. */
CG_API int cg_reactor_open(const char *name, struct cg_reactor **reactor);

/* Closes a reactor; its scheduler has been freed. NULL is ignored. */
CG_API void cg_reactor_close(struct cg_reactor *reactor);

CG_API const char *cg_reactor_name(const struct cg_reactor *reactor);

/* All reactors by name, in the order of preference, with the reason for each that is not
 * available here: fills at most n entries, answers how many there are. */
CG_API size_t cg_reactor_list(struct cg_reactor_info *list, size_t n);

/* Why cg_reactor_open(name) answered this code, as one line without its end: what is
 * missing here, or, of a name that it does not know, which there are. As snprintf: fills at
 * most `size` bytes, answers how many it would take. */
CG_API int cg_reactor_why(const char *name, int code, char *buf, size_t size);

/* The libevent reactor on a caller's struct event_base (borrowed), instead of its own:
 * 0, -EOPNOTSUPP, -ENOMEM. */
CG_API int cg_reactor_open_libevent(void *event_base, struct cg_reactor **reactor);

/* cg_poll(fd, events): waits until a descriptor is ready; returns which of the events
 * (CG_IN, CG_OUT, plus CG_ERR, CG_HUP unasked) it is ready for. CG_HUP: the connection is
 * gone; with CG_IN also: the peer has ended its stream (it closed the connection, or shut
 * down its sending half), even if input is still unread. For adapters to other libraries;
 * the descriptor stays the caller's, who must not close it while somebody waits. Of a
 * socket of ours use cg_poll_sock. */
enum cg_poll_events {
    CG_IN = 1,
    CG_OUT = 4,
    CG_ERR = 8,
    CG_HUP = 16,
};

extern CG_API const struct cg_op_type cg_poll_type;

CG_EXTERN_C_END

#ifndef __cplusplus
struct cg_poll_op {
    CG_OP_HEAD;
    struct cg_io *io;
    int fd;
    unsigned events;
};
#define cg_poll(...) cg__poll(__VA_ARGS__, )
#define cg__poll(f, e, ...) CG_OP(cg_poll, .fd = (f), .events = (e), __VA_ARGS__)

/* ---- The contract of a backend ---------------------------------------------------- */

/* What a reactor can be asked. A descriptor is a handle that only its reactor understands.
 * Results are >= 0 or -errno; EINTR and EAGAIN never leave a reactor. */
enum cg_io_code {
    /* These may wait. */
    CG_IO_RECV,     /* data for a stream's input; 0 is its end. See struct cg_io */
    CG_IO_SEND,     /* buf, len: bytes sent, at least 1 (short counts are normal) */
    CG_IO_SENDV,    /* iov, iovcnt: the same, gathered */
    CG_IO_SENDFILE, /* file, offset, count: bytes sent; 0: the file has no more */
    CG_IO_ACCEPT,   /* the new connection's descriptor, non-blocking, close-on-exec. Errors
                     * other than -EBADF, -EINVAL and -ENOTSOCK say nothing of the listener:
                     * ask again. The reactor makes that wait for a pause (at most 100 ms)
                     * unless the error was that of one connection */
    CG_IO_CONNECT,  /* addr, addrlen (kept by the caller until completion): 0 */
    CG_IO_POLL,     /* events: those that are ready */
    /* These never wait: submit answers DONE. */
    CG_IO_SOCKET,   /* domain, type, protocol: a new non-blocking descriptor */
    CG_IO_BIND,     /* addr, addrlen */
    CG_IO_LISTEN,   /* backlog */
    CG_IO_SETOPT,   /* level, name, value, size */
    CG_IO_GETOPT,   /* level, name, value, size (in) and result (out): the size */
    CG_IO_SOCKNAME, /* value, size: a struct sockaddr_storage; result: its size */
    CG_IO_PEERNAME, /* the same of the other end */
    CG_IO_SHUTDOWN, /* how: SHUT_RD, SHUT_WR, SHUT_RDWR */
    CG_IO_ATTACH,   /* takes over a foreign descriptor: makes it non-blocking */
    CG_IO_CLOSE,    /* closes it; forget has been called, nothing is pending on it */
    CG_IO_LOOK,     /* events: those that are ready now, as POLL answers them; 0: none */
    CG_IO_OFFER,    /* buf, len: SEND of what can be sent at once; 0: nothing can */
};

enum cg_io_state {
    CG_IO_IDLE,
    CG_IO_PENDING,
    CG_IO_CANCELLING,
};

/* One request to a reactor, embedded in what it serves (a socket has one for each
 * direction), and used again with the same reactor only; the caller sets the first part. */
struct cg_io {
    uint8_t code;  /* enum cg_io_code */
    uint8_t state; /* enum cg_io_state, the reactor's */
    uint8_t flag;  /* the reactor's */
    int fd;
    union {
        struct { /* RECV, SEND */
            void *buf;
            size_t len;
        };
        struct { /* SENDV */
            const struct iovec *iov;
            int iovcnt;
        };
        struct { /* SENDFILE */
            int64_t offset;
            size_t count;
            int file;
        };
        struct { /* CONNECT, BIND */
            const struct sockaddr *addr;
            socklen_t addrlen;
        };
        struct { /* SOCKET */
            int domain, type, protocol;
        };
        struct { /* SETOPT, GETOPT, SOCKNAME, PEERNAME */
            void *value;
            socklen_t size;
            int level, name;
        };
        unsigned events; /* POLL, LOOK */
        int how;         /* SHUTDOWN */
        int backlog;     /* LISTEN */
    };
    /* Called by the reactor, from within wait, when a pending request has completed; it may
     * submit again, free the request, forget and close the descriptor. RECV: the data are
     * in chunk if that is set (the callee takes it over), else in buf. If state is still
     * PENDING then, the request stays armed and completes again when more comes
     * (multishot). */
    void (*complete)(struct cg_io *io, ssize_t result);
    void *owner;            /* the caller's */
    struct cg_chunk *chunk; /* RECV: the filled buffer, or NULL */
    uintptr_t mark;         /* the reactor's, from one request to the next; 0 at first */
    ssize_t result;         /* of a request that submit answered DONE */
    struct cg_io *next, *prev; /* the reactor's, while pending */
};

/* A buffer of the reactor's pool, for input. */
struct cg_chunk {
    struct cg_chunk *next;
    uint32_t start, end; /* the unread bytes: data[start] to data[end - 1] */
    uint32_t size;       /* room in data */
    uint32_t lent;       /* views that borrow from it */
    uint32_t mark;       /* the reactor's */
    char data[];
};

/* The base of every reactor's own struct. */
struct cg_reactor {
    const struct cg_reactor_type *type;
    int fd; /* readable when wait has something to do; -1: there is no such descriptor */
    bool embedded; /* somebody has asked for it */
    bool stepped;  /* by cg_sched_step: no wait leaves anything unsubmitted */
    int64_t due; /* moment at which wait has something to do of its own; 0: there is none */
    struct cg_chunk *chunks; /* free ones */
    size_t chunks_free;      /* their number */
    size_t chunks_out;       /* handed out */
    void *reserved[2];
};

/* A backend: eight functions, all called from the scheduler's thread but wake. */
struct cg_reactor_type {
    const char *name;
    /* 0 and a new reactor (the base's type, fd filled in), or -errno. */
    int (*open)(struct cg_reactor **reactor);
    /* Frees it. Nothing is pending. */
    void (*close)(struct cg_reactor *reactor);
    /* Does this I/O. DONE: io->result (and chunk) are set, complete is not called. PENDING:
     * complete will be called, from within wait or cancel-then-wait, exactly once for each
     * time that state has gone back to IDLE. RECV may read into buf, len (len > 0) or into
     * a chunk of the pool as suits the kernel; with len 0 only into a chunk, and a
     * reactor that will only answer with chunks sets len to 0. Never suspends. */
    enum cg_verdict (*submit)(struct cg_reactor *reactor, struct cg_io *io);
    /* Takes a pending request back. DONE: nobody holds it, complete is not called, and no
     * byte or connection was consumed. PENDING: complete will be called, with -ECANCELED
     * or, if it was too late, with the true result. */
    enum cg_verdict (*cancel)(struct cg_reactor *reactor, struct cg_io *io);
    /* Waits at most timeout ns (0: not at all; CG_NEVER) until something has completed, and
     * completes all that has, or the first of it (the next wait then does not wait for the
     * rest). Returns early when woken. 0 or -errno; -EDEADLK if nothing can ever complete
     * (only a simulated world can know). */
    int (*wait)(struct cg_reactor *reactor, int64_t timeout);
    /* The descriptor is about to be closed or handed over: drops whatever is remembered
     * about it. Nothing is pending on it. */
    void (*forget)(struct cg_reactor *reactor, int fd);
    /* Makes the current or the next wait return. From any thread or signal handler. */
    void (*wake)(struct cg_reactor *reactor);
    /* The clock, ns. */
    int64_t (*now)(struct cg_reactor *reactor);
    void *reserved[2];
};

enum {
    CG__LINE = 64, /* bytes of a cache line, near enough everywhere */
    CG_CHUNK_SIZE = 16 * 1024 - sizeof(struct cg_chunk), /* room in a chunk of the pool */
};

static inline enum cg_verdict cg_reactor_submit(struct cg_reactor *reactor,
                                                struct cg_io *io)
{
    return reactor->type->submit(reactor, io);
}

/* The pool: a chunk with start == end == 0, or NULL (no memory); and back. */
CG_API struct cg_chunk *cg_chunk_get(struct cg_reactor *reactor);
CG_API void cg_chunk_put(struct cg_reactor *reactor, struct cg_chunk *chunk);

#endif
#endif
