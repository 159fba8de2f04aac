/* SPDX-License-Identifier: MIT */
/* What the five files of the io_uring reactor share: io_uring.c (the reactor: completions,
 * waiting), uring_open.c (opening, closing, fork), uring_entry.c (entries of the
 * submission queue), uring_file.c (entries for plain files) and uring_buffers.c (receive
 * buffers). */
#ifndef COGEN_REACTORS_IO_URING_URING_H
#define COGEN_REACTORS_IO_URING_URING_H

#include <liburing.h>

#include "lib/base/fork.h"
#include "reactors/reactors.h"

enum {
    URING_ENTRIES = 256, /* of the submission queue; a full queue is submitted early */
    URING_COMPLETIONS = 4096, /* size of the completion queue; the kernel keeps what
                               * exceeds it */
    URING_AT_ONCE = 32, /* completions dispatched before their coroutines run */
    URING_PAUSE_ACCEPT = 100, /* ms before the next attempt without descriptors */
    URING_PAUSE_CONNECT = 10, /* ms before the next attempt while a UNIX backlog is full */
    URING_PAUSE_SEND = 1,     /* ms before the next attempt while a UNIX receiver is full */
    URING_PAUSE_MEMORY = 10,  /* ms before the next attempt without memory for buffers */
    URING_BUFFERS_MIN = 32,   /* receive buffers at first (512 KiB) ... */
    URING_BUFFERS_MAX = 256, /* ... doubled each time they run out, up to this, until the
                              * loop is idle */
    URING_GROUP = 0,         /* the only buffer group */
    URING_SEND_NOW = 256, /* bytes; so many are sent at once, not at the end of the turn */
};

/* io->mark. At most one of a request's own entries is in the kernel at any time. So the
 * address of its io identifies that entry, and the address + 1 the entry that cancels
 * it. */
enum uring_mark {
    URING_IN_KERNEL = 1, /* an entry of its own is in the queue or the kernel */
    URING_CANCELS = 2,   /* the entry that cancels it is in the queue or the kernel */
    URING_BACKLOG = 4,   /* in the backlog; for its cancel if IN_KERNEL is set too */
    URING_STARVED = 8,   /* in the list of starved receives */
    URING_UNREADY = 16,  /* its entry polls for readiness; the call follows */
    URING_PAUSED = 32,   /* its entry is a timeout; then it is tried again */
    URING_EDGES = 64, /* its polls are multishot until they report the wanted change */
    URING_SEEN = 128, /* that change was reported; the poll is being cancelled */
    URING_SETTLED = 256, /* io->result is final; only its cancel must still complete */
    URING_FLYING = 512,  /* in the list of flying requests */
};

struct uring_list {
    struct cg_io *first, *last;
    unsigned length;
    enum uring_mark mark; /* set in the io->mark of each member */
};

struct uring_buffers {
    struct cg_reactor *reactor; /* its pool owns the chunks */
    struct io_uring_buf_ring *ring;
    unsigned target; /* chunks wanted in the ring */
    unsigned inside; /* chunks in the ring, as far as completions tell */
    unsigned vacant; /* length of vacancies */
    uint16_t vacancies[URING_BUFFERS_MAX];      /* buffer numbers without a chunk */
    struct cg_chunk *chunks[URING_BUFFERS_MAX]; /* by buffer number */
};

struct uring {
    struct cg_reactor base;
    struct io_uring ring;
    bool started;
    bool wakeable; /* a read of wake_fd is in flight */
    bool telling;  /* told_fd is registered */
    int wake_fd;
    int told_fd; /* eventfd for foreign loops */
    uint64_t wakes; /* what the read of wake_fd stores; unused */
    struct uring_buffers buffers;
    unsigned forks; /* fork count when the ring was made */
    /* Every pending request is in one of these lists. */
    struct uring_list flying;  /* in the kernel, or about to be */
    struct uring_list backlog; /* found no room in the submission queue */
    struct uring_list starved; /* receives that found no buffer */
    uint8_t *plain;            /* one bit per descriptor that is known not to be a socket */
    size_t plain_size;
    struct __kernel_timespec pause_accept, pause_connect, pause_send;
    struct msghdr messages[URING_ENTRIES]; /* by place in the queue; the kernel copies a
                                            * message when it consumes the entry */
};

/* Defined in io_uring.c: */

/* Completes a request with io->result. */
void cg__io_uring_complete(struct uring *u, struct cg_io *io);

/* The reactor's `recall`. */
void cg__io_uring_recall(struct cg_reactor *reactor);

/* Defined in uring_open.c: */

int cg__uring_open(struct cg_reactor **reactor);
void cg__uring_close(struct cg_reactor *reactor);

/* Whether this is a child made by fork() and the ring its parent's, which must not be
 * touched. */
static inline bool cg__uring_is_parents(const struct uring *u)
{
    return u->forks != cg__fork_count();
}

/* In that child, from within wait: makes a ring of its own and submits the pending
 * requests to it. Returns 0 or -errno; the next wait tries again. */
int cg__uring_renew(struct uring *u);

/* Defined in uring_entry.c: */

/* Moves a request from its list, if any, to the end of another one (NULL: of none). */
void cg__uring_move(struct uring *u, struct cg_io *io, struct uring_list *to);

/* Makes the calling thread the ring's owner, the first time. Returns 0 or -errno. */
int cg__uring_start(struct uring *u);

/* Queues the entry that the request needs next, or puts the request into the backlog. */
void cg__uring_arm(struct uring *u, struct cg_io *io);

/* Whether we make the request's system call ourselves when the descriptor is ready. */
bool cg__uring_is_called(const struct uring *u, const struct cg_io *io);

/* The events for which a request whose entry is a poll waits. */
int cg__uring_events(const struct cg_io *io);

/* Queues the entry that cancels the request's, or puts the request into the backlog. */
void cg__uring_arm_cancel(struct uring *u, struct cg_io *io);

/* Queues the read of wake_fd that lets a wake end a wait, unless it is in flight. */
void cg__uring_arm_wake(struct uring *u);

/* Descriptors that are known not to be sockets. cg__uring_remember_plain returns false if
 * there is no memory. */
bool cg__uring_is_plain(const struct uring *u, int fd);
bool cg__uring_has_plain(const struct uring *u);
bool cg__uring_remember_plain(struct uring *u, int fd);
void cg__uring_forget_plain(struct uring *u, int fd);

/* Defined in uring_file.c: */

/* The calls on plain files that the kernel has entries for, as in cg_reactor.files. */
unsigned cg__uring_file_calls(const struct io_uring_probe *probe);

void cg__uring_file_prepare(struct cg_io_file *call, struct io_uring_sqe *sqe);

/* The call has ended: stores what the kernel has put into its room. */
void cg__uring_file_ended(const struct cg_io *io);

/* Defined in uring_buffers.c: */

/* Registers an empty ring of buffers. Returns 0, -ENOMEM, or why the kernel refuses it. */
int cg__uring_buffers_open(struct uring_buffers *buffers, struct io_uring *ring,
                           struct cg_reactor *reactor);

/* Returns all chunks to the pool. ring: the ring, without pending receives; NULL: it is
 * the parent's, which still uses them. */
void cg__uring_buffers_close(struct uring_buffers *buffers, struct io_uring *ring);

/* Fills the ring with chunks up to the target, as far as there is memory. */
void cg__uring_buffers_fill(struct uring_buffers *buffers);

/* The buffers ran out: doubles the target, up to its limit. */
void cg__uring_buffers_grow(struct uring_buffers *buffers);

/* Returns the chunks in the ring to the pool, and sets the target back. Only while the kernel
 * takes no buffer, and after all completions were reaped. */
void cg__uring_buffers_recall(struct uring_buffers *buffers);

/* The kernel has put n bytes into the buffer of this number: takes its chunk out. Returns
 * NULL for n <= 0; the chunk then returns to the pool. */
struct cg_chunk *cg__uring_buffers_take(struct uring_buffers *buffers, unsigned number,
                                        int n);

#endif
