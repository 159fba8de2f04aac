/* SPDX-License-Identifier: MIT */
/* How the reactors of the readiness backends are opened, renewed in a child made by fork(), and
 * closed. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "reactors/calls.h"
#include "reactors/readiness/event.h"
#include "reactors/readiness/wake.h"

/* Keeps the numbers of wake's descriptors. They are readable from the start, because wakes
 * since the fork were lost. */
static int renew_wake(struct cg__readiness *r)
{
    uint64_t one = 1;
    int in, out, error = cg__wake_open(&in, &out);

    if (error)
        return error;
    error = cg__calls_replace_fd(r->wake_in, in);
    if (out != in) {
        int second = cg__calls_replace_fd(r->wake_out, out);

        error = error ? error : second;
    }
    atomic_store(&r->woken, true);
    while (!error && write(r->wake_out, &one, sizeof one) < 0)
        error = errno == EINTR ? 0 : -errno;
    return error;
}

int cg__readiness_renew(struct cg__readiness *r)
{
    int error = renew_wake(r);

    if (!error && r->watcher->renew)
        error = r->watcher->renew(r);
    if (!error)
        r->forks = cg__fork_count();
    return error;
}

/* Undoes cg__readiness_open, however far it has come. */
static void close_all(struct cg__readiness *r)
{
    cg__readiness_own(r); /* otherwise removals would change the parent's registrations */
    cg__fd_free_all(r);
    if (r->wake_out != r->wake_in)
        close(r->wake_out);
    if (r->wake_in >= 0)
        close(r->wake_in);
    cg__chunk_free_all(&r->reactor);
    if (r->watcher->release)
        r->watcher->release(r);
}

int cg__readiness_open(struct cg__readiness *r, const struct cg_reactor_type *type,
                       const struct cg__watcher *watcher)
{
    struct cg__fd *d;
    int error;

    r->reactor.type = type;
    r->watcher = watcher;
    r->limit = watcher->limit ? (unsigned)watcher->limit : INT_MAX;
    r->wake_in = r->wake_out = -1;
    r->forks = cg__fork_watch();
    if ((error = cg__wake_open(&r->wake_in, &r->wake_out)))
        goto closing;
    error = -EMFILE;
    if ((unsigned)r->wake_in >= r->limit)
        goto closing;
    error = -ENOMEM;
    if (!(d = cg__fd_get(r, r->wake_in)))
        goto closing;
    d->owned = true;
    if ((error = watcher->watch(r, d, CG_IN)))
        goto closing;
    d->watched = CG_IN;
    return 0;
closing:
    close_all(r);
    return error;
}

int cg__readiness_new(struct cg_reactor **reactor, const struct cg_reactor_type *type,
                      const struct cg__watcher *watcher, size_t size, int fd)
{
    struct cg__readiness *r = calloc(1, size);
    int error = -ENOMEM;

    if (r) {
        r->reactor.fd = fd;
        error = cg__readiness_open(r, type, watcher);
    }
    if (error) {
        if (fd >= 0)
            close(fd);
        free(r);
        return error;
    }
    *reactor = &r->reactor;
    return 0;
}

/* Reads the descriptor late: in a child made by fork() close_all may replace it. */
void cg__readiness_close(struct cg_reactor *reactor)
{
    close_all((struct cg__readiness *)reactor);
    if (reactor->fd >= 0)
        close(reactor->fd);
    free(reactor);
}
