/* SPDX-License-Identifier: MIT */
/* What the four files of the io_uring reactor share: io_uring.c (the reactor: completions,
 * waiting), uring_open.c (opening, closing, fork), uring_entry.c (what is put into the
 * submission queue) and uring_buffers.c (what is received into). */
#ifndef COGEN_REACTORS_IO_URING_URING_H
#define COGEN_REACTORS_IO_URING_URING_H

#include <liburing.h>

#include "lib/base/fork.h"
#include "reactors/reactors.h"

enum {
    URING_ENTRIES = 256, /* of the submission queue; a full one is submitted early */
    URING_COMPLETIONS = 4096, /* to be reaped; beyond it the kernel keeps them */
    URING_AT_ONCE = 32, /* completions dispatched before their coroutines have a turn */
    URING_PAUSE_ACCEPT = 100, /* ms until the next try when descriptors lack */
    URING_PAUSE_CONNECT = 10, /* ms until the next try when a UNIX backlog is full */
    URING_PAUSE_MEMORY = 10,  /* ms until the next try when there is none for buffers */
    URING_BUFFERS_MIN = 32,   /* chunks to receive into at first, 512 KiB ... */
    URING_BUFFERS_MAX = 256, /* ... doubled each time they do not suffice, up to this */
    URING_GROUP = 0,         /* the only group of buffers */
};

/* io->mark. Of a request's own entries at most one is with the kernel at any time, so
 * the io's address names it, and the address + 1 the entry that cancels it. */
enum uring_mark {
    URING_IN_KERNEL = 1, /* an entry of its own is under way */
    URING_CANCELS = 2,   /* the entry that cancels it is under way */
    URING_BACKLOG = 4,   /* in that list; for its cancel if IN_KERNEL too */
    URING_STARVED = 8,   /* in that list */
    URING_UNREADY = 16,  /* its entry waits for readiness, the call is yet to come */
    URING_PAUSED = 32,   /* its entry is a timeout, then it is tried again */
    URING_EDGES = 64, /* its polls are told each change, until it is the wanted one */
    URING_SEEN = 128, /* that one has come, the poll is being ended */
    URING_SETTLED = 256, /* io->result stands, only the end of its cancel is awaited */
    URING_FLYING = 512,  /* in that list */
};

struct uring_list {
    struct cg_io *first, *last;
    unsigned length;
    enum uring_mark mark; /* of those in it */
};

struct uring_buffers {
    struct cg_reactor *reactor; /* whose pool the chunks come from */
    struct io_uring_buf_ring *ring;
    unsigned target; /* chunks wanted in the ring */
    unsigned inside; /* chunks in it, as far as completions have told */
    unsigned vacant; /* how many numbers there are in vacancies */
    uint16_t vacancies[URING_BUFFERS_MAX];      /* buffer numbers without a chunk */
    struct cg_chunk *chunks[URING_BUFFERS_MAX]; /* by buffer number */
};

struct uring {
    struct cg_reactor base;
    struct io_uring ring;
    bool started;
    bool wakeable; /* a read of wake_fd is under way */
    bool telling;  /* told_fd is registered */
    int wake_fd;
    int told_fd; /* for foreign loops */
    uint64_t wakes; /* what was read; nobody looks */
    struct uring_buffers buffers;
    unsigned forks; /* the count at which the ring was made */
    /* A request that has not been answered is in one of these. */
    struct uring_list flying;  /* with the kernel, or about to be */
    struct uring_list backlog; /* found no room in the submission queue */
    struct uring_list starved; /* receives that ended for want of a buffer */
    uint8_t *plain;            /* a bit for each descriptor known to be no socket */
    size_t plain_size;
    struct __kernel_timespec pause_accept, pause_connect;
    struct msghdr messages[URING_ENTRIES]; /* by place in the queue: the kernel has
                                            * copied it when it takes the entry */
};

/* ---- io_uring.c ---- */

/* Completes a request with io->result. */
void cg__io_uring_answer(struct uring *u, struct cg_io *io);

/* ---- uring_open.c ---- */

int cg__uring_open(struct cg_reactor **reactor);
void cg__uring_close(struct cg_reactor *reactor);

/* Whether this is a child made by fork(), and the ring its parent's: hands off. */
static inline bool cg__uring_is_parents(const struct uring *u)
{
    return u->forks != cg__fork_count();
}

/* Then makes a ring of our own, and asks it for what is pending. From within wait. 0 or
 * -errno: the next wait tries again. */
int cg__uring_renew(struct uring *u);

/* ---- uring_entry.c ---- */

/* Takes a request from the list that it is in, if any, to the end of another one (NULL: to
 * none). */
void cg__uring_move(struct uring *u, struct cg_io *io, struct uring_list *to);

/* Makes the calling thread the ring's own, the first time: 0 or -errno. */
int cg__uring_start(struct uring *u);

/* Queues the entry that the request needs next, or puts it into the backlog. */
void cg__uring_arm(struct uring *u, struct cg_io *io);

/* Whether it is done by a call of ours once the descriptor is ready. */
bool cg__uring_is_called(const struct uring *u, const struct cg_io *io);

/* Of a request whose entry is a poll: the events that it waits for. */
int cg__uring_events(const struct cg_io *io);

/* Queues the entry that cancels the request's, or puts it into the backlog. */
void cg__uring_arm_cancel(struct uring *u, struct cg_io *io);

/* Queues the entry that lets a wake end a wait, unless that is under way. */
void cg__uring_arm_wake(struct uring *u);

/* Descriptors that are known not to be sockets. remember: false: no memory. */
bool cg__uring_is_plain(const struct uring *u, int fd);
bool cg__uring_remember_plain(struct uring *u, int fd);
void cg__uring_forget_plain(struct uring *u, int fd);

/* ---- uring_buffers.c ---- */

/* Registers an empty ring of buffers: 0, -ENOMEM, or why the kernel refuses. */
int cg__uring_buffers_open(struct uring_buffers *buffers, struct io_uring *ring,
                           struct cg_reactor *reactor);

/* Gives all chunks back to the pool. ring: no receive is pending in it. NULL: it is not
 * ours, and still knows them. */
void cg__uring_buffers_close(struct uring_buffers *buffers, struct io_uring *ring);

/* Fills up to the target, as far as there is memory. */
void cg__uring_buffers_fill(struct uring_buffers *buffers);

/* They did not suffice: doubles the target within its limit. */
void cg__uring_buffers_grow(struct uring_buffers *buffers);

/* The kernel has put n bytes into the buffer of this number: takes it out. NULL for n
 * <= 0; the buffer then goes back to the pool. */
struct cg_chunk *cg__uring_buffers_take(struct uring_buffers *buffers, unsigned number,
                                        int n);

#endif
