/* SPDX-License-Identifier: MIT */
/* The common half of the readiness backends (select, poll, epoll, kqueue, libevent): tries
 * the call, waits for readiness, tries again. A backend supplies watch and wait. */
#ifndef COGEN_REACTORS_READINESS_READINESS_H
#define COGEN_REACTORS_READINESS_READINESS_H

#include <stdatomic.h>

#include "lib/base/fork.h"
#include "reactors/reactors.h"

/* An event in addition to CG_IN, CG_OUT, CG_ERR and CG_HUP: the peer has ended its stream
 * or sent urgent data, so a short count no longer proves that nothing is left. */
enum { CG__LAST = 32 };

/* What is known about a descriptor. A record stays at its address for the reactor's life.
 * Its first cache line holds what a request touches. */
struct cg__fd {
    _Alignas(CG__LINE) struct cg_io *in; /* the pending RECV or ACCEPT */
    struct cg_io *out;   /* the pending SEND, SENDV, SENDFILE or CONNECT */
    struct cg_io *polls; /* the pending POLLs, oldest first; the first one's prev is the
                          * last */
    int64_t due; /* requests are paused until this moment; 0: they are not */
    int fd;
    uint32_t generation; /* counts the uses of this number; events with an older count
                          * are ignored */
    uint8_t kind;    /* enum cg__kind */
    uint8_t ready;   /* CG_IN, CG_OUT: not known to be unready, so calls are tried at
                      * once */
    uint8_t watched; /* CG_IN, CG_OUT, CG_HUP: what the backend was last told to watch */
    bool owned;      /* a descriptor of ours, which is forgotten before it is closed;
                      * else it is only polled */
    int error; /* came with an event; some systems report it only once */
    struct cg__fd *next_paused;
    union {
        size_t index;
        void *pointer;
    } own; /* for the backend */
};

struct cg__readiness {
    struct cg_reactor reactor; /* must be first */
    const struct cg__watcher *watcher;
    unsigned limit; /* descriptors from here on, and negative ones, cannot be watched */
    struct cg__fd **pages; /* of records, indexed by descriptor */
    size_t page_count;
    struct cg__fd *paused;
    int64_t check; /* when POLLs for CG_HUP alone are checked; 0: none is (see `ends`) */
    int wake_in, wake_out;
    atomic_bool woken;
    unsigned forks; /* fork count when the state in the kernel was made */
};

/* The part that a backend supplies. */
struct cg__watcher {
    /* Edge-triggered: each change is reported once. A descriptor of ours stays watched, for
     * input from its first wait on, for room from the first wait for that. Otherwise events
     * repeat while they last, and a descriptor is watched from when a request waits until an
     * event comes that no request needs. */
    bool edge;
    /* To watch for more or less costs no system call, but a wait costs more for each
     * watched descriptor. So a descriptor is watched only while a request waits. */
    bool cheap;
    int limit; /* descriptors from here on cannot be watched; 0: no limit */
    /* Watch knows CG_HUP: the peer has ended its stream, while input stays unread. Without
     * it, and without edges, POLLs for CG_HUP alone are checked again and again. */
    bool ends;
    /* Watches for these events (CG_IN, CG_OUT, CG_HUP; 0: none) instead of d->watched.
     * Returns 0; -EPERM: no events come from such a descriptor; -ENOMEM ... To watch for
     * less must not fail. */
    int (*watch)(struct cg__readiness *r, struct cg__fd *d, unsigned events);
    /* Waits, and calls cg__event (event.h) for each descriptor that is ready. If an event
     * comes only once (EV_ONESHOT), clears it in d->watched first. Returns 0, -EINTR or
     * -errno. */
    int (*wait)(struct cg__readiness *r, int64_t timeout);
    /* In a child made by fork(), which shares the state in the kernel with its parent:
     * leaves that untouched, makes its own, and watches there for what is watched
     * (cg__fd_watch_again). Returns 0 or -errno. NULL: the kernel keeps nothing. */
    int (*renew)(struct cg__readiness *r);
    /* Frees what the backend keeps in d->own. May be NULL. */
    void (*drop)(struct cg__readiness *r, struct cg__fd *d);
    /* Frees what the backend keeps besides the reactor and its descriptor. May be NULL. */
    void (*release)(struct cg__readiness *r);
};

/* Makes the reactor of a backend that needs nothing to watch but `size` zero bytes, which begin
 * with a struct cg__readiness, and fd, the kernel's (-1: none). Ownership of fd passes, also if
 * this fails. Returns 0 or -errno. */
int cg__readiness_new(struct cg_reactor **reactor, const struct cg_reactor_type *type,
                      const struct cg__watcher *watcher, size_t size, int fd);

/* The same for a backend that has allocated the reactor and prepared it for watch. If this fails,
 * the watcher's release has been called, and r is still the caller's. */
int cg__readiness_open(struct cg__readiness *r, const struct cg_reactor_type *type,
                       const struct cg__watcher *watcher);

/* Makes sure that the state in the kernel belongs to this process and not to its parent.
 * Returns 0 or -errno. */
int cg__readiness_renew(struct cg__readiness *r);
static inline int cg__readiness_own(struct cg__readiness *r)
{
    return r->forks == cg__fork_count() ? 0 : cg__readiness_renew(r);
}

enum { CG__FD_PAGE = 256 }; /* records per allocation */

/* Returns a descriptor's record, or NULL if it has none yet. */
static inline struct cg__fd *cg__readiness_find(struct cg__readiness *r, int fd)
{
    size_t page = (unsigned)fd / CG__FD_PAGE;

    return page < r->page_count && r->pages[page]
               ? &r->pages[page][(unsigned)fd % CG__FD_PAGE]
               : NULL;
}

/* The functions that are the same for all reactors of this kind. CG__READINESS_SLOTS puts them
 * into a reactor's type. */
void cg__readiness_close(struct cg_reactor *reactor);
enum cg_verdict cg__readiness_submit(struct cg_reactor *reactor, struct cg_io *io);
enum cg_verdict cg__readiness_cancel(struct cg_reactor *reactor, struct cg_io *io);
int cg__readiness_wait(struct cg_reactor *reactor, int64_t timeout);
void cg__readiness_forget(struct cg_reactor *reactor, int fd);
void cg__readiness_wake(struct cg_reactor *reactor);

#define CG__READINESS_SLOTS                                                                \
    .close = cg__readiness_close, .submit = cg__readiness_submit,                          \
    .cancel = cg__readiness_cancel, .wait = cg__readiness_wait,                            \
    .forget = cg__readiness_forget, .wake = cg__readiness_wake, .now = cg__calls_clock

#endif
