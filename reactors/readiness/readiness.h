/* SPDX-License-Identifier: MIT */
/* The common half of the readiness backends (select, poll, epoll, kqueue, libevent): it
 * tries the call, waits for readiness, and tries again. A backend supplies watch and
 * wait. */
#ifndef COGEN_REACTORS_READINESS_READINESS_H
#define COGEN_REACTORS_READINESS_READINESS_H

#include <stdatomic.h>

#include "lib/base/fork.h"
#include "reactors/reactors.h"

/* Beside CG_IN, CG_OUT, CG_ERR and CG_HUP an event may say: the peer has ended its stream
 * (or sent urgent data), so that a short count no longer means that nothing is left. */
enum { CG__LAST = 32 };

/* What is known about a descriptor. It stays where it is for the reactor's life. What a
 * request touches lies in its first cache line. */
struct cg__fd {
    _Alignas(CG__LINE) struct cg_io *in; /* the RECV or ACCEPT that waits */
    struct cg_io *out;   /* the SEND, SENDV, SENDFILE or CONNECT that waits */
    struct cg_io *polls; /* the POLLs that wait, oldest first; its prev is the last one */
    int64_t due; /* paused until this moment; 0: it is not */
    int fd;
    uint32_t generation; /* counts the lives of this number; events of former ones go */
    uint8_t kind;    /* enum cg__kind */
    uint8_t ready;   /* CG_IN, CG_OUT: not known to be unready, so calls are tried */
    uint8_t watched; /* CG_IN, CG_OUT: what the backend was last told to watch */
    bool owned;      /* ours: it is forgotten before it is closed. Else only polled */
    int error; /* told with an event; some systems tell it only once */
    struct cg__fd *next_paused;
    union {
        size_t index;
        void *pointer;
    } own; /* the backend's */
};

struct cg__readiness {
    struct cg_reactor reactor; /* first */
    const struct cg__watcher *watcher;
    unsigned limit; /* descriptors from here on cannot be watched, nor negative ones */
    struct cg__fd **pages; /* of records, by descriptor */
    size_t page_count;
    struct cg__fd *paused;
    int wake_in, wake_out;
    atomic_bool woken;
    unsigned forks; /* the count at which what the kernel keeps was made */
};

/* A backend's own part. */
struct cg__watcher {
    /* Changes are told once each: a descriptor of ours is watched for everything, from its
     * first need on. Otherwise it is told as long as it lasts, and watched from when an op
     * waits until an event comes for which none does. */
    bool edge;
    /* To watch for more or less costs no system call, but each wait costs as much as is
     * watched: a descriptor is watched only while an op waits. */
    bool cheap;
    int limit; /* descriptors from here on cannot be watched; 0: there is no limit */
    /* Watches for these (CG_IN, CG_OUT; 0: no more) instead of d->watched. 0, -EPERM: no
     * events come from such a descriptor; -ENOMEM ... Cannot fail to watch less. */
    int (*watch)(struct cg__readiness *r, struct cg__fd *d, unsigned events);
    /* Waits, and calls cg__event (event.h) for each descriptor that is ready. Where events
     * come once (EV_ONESHOT), d->watched is cleared of them first. 0, -EINTR, -errno. */
    int (*wait)(struct cg__readiness *r, int64_t timeout);
    /* In a child made by fork(), where what the kernel keeps is shared with the parent:
     * leaves that alone, makes another and watches there for what is watched
     * (cg__fd_watch_again). 0 or -errno. NULL: the kernel keeps nothing. */
    int (*renew)(struct cg__readiness *r);
    /* Frees what the backend keeps in d->own; may be NULL. */
    void (*drop)(struct cg__readiness *r, struct cg__fd *d);
};

/* Fills in the base of a new reactor, which the backend has allocated and made ready to
 * watch: 0 or -errno. And undoes that, without freeing r. */
int cg__readiness_open(struct cg__readiness *r, const struct cg_reactor_type *type,
                       const struct cg__watcher *watcher);
void cg__readiness_close(struct cg__readiness *r);

/* Sees to it that what the kernel keeps is this process's own: 0 or -errno. */
int cg__readiness_renew(struct cg__readiness *r);
static inline int cg__readiness_own(struct cg__readiness *r)
{
    return r->forks == cg__fork_count() ? 0 : cg__readiness_renew(r);
}

enum { CG__FD_PAGE = 256 }; /* records allocated at a time */

/* The record of a descriptor, NULL: there is none yet. */
static inline struct cg__fd *cg__readiness_find(struct cg__readiness *r, int fd)
{
    size_t page = (unsigned)fd / CG__FD_PAGE;

    return page < r->page_count && r->pages[page]
               ? &r->pages[page][(unsigned)fd % CG__FD_PAGE]
               : NULL;
}

/* The slots of the readiness backends' types. */
enum cg_verdict cg__readiness_submit(struct cg_reactor *reactor, struct cg_io *io);
enum cg_verdict cg__readiness_cancel(struct cg_reactor *reactor, struct cg_io *io);
int cg__readiness_wait(struct cg_reactor *reactor, int64_t timeout);
void cg__readiness_forget(struct cg_reactor *reactor, int fd);
void cg__readiness_wake(struct cg_reactor *reactor);

#endif
