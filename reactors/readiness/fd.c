/* SPDX-License-Identifier: MIT */
/* The records of descriptors, and which events are watched for them. */
#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "reactors/calls.h"
#include "reactors/readiness/fd.h"

/* Records never move, because a completion may make new ones while one is in use. */
struct cg__fd *cg__fd_make(struct cg__readiness *r, int fd)
{
    size_t page = (size_t)fd / CG__FD_PAGE, count = r->page_count ? r->page_count : 4;
    struct cg__fd **pages, *d;

    if (page >= r->page_count) {
        while (page >= count)
            count *= 2;
        if (!(pages = realloc(r->pages, count * sizeof *pages)))
            return NULL;
        for (size_t i = r->page_count; i < count; i++)
            pages[i] = NULL;
        r->pages = pages;
        r->page_count = count;
    }
    if (posix_memalign((void **)&d, CG__LINE, CG__FD_PAGE * sizeof *d) != 0)
        return NULL;
    memset(d, 0, CG__FD_PAGE * sizeof *d);
    r->pages[page] = d;
    for (int i = 0; i < CG__FD_PAGE; i++) {
        d[i].fd = page * CG__FD_PAGE + i;
        d[i].ready = CG__BOTH;
    }
    return &d[fd % CG__FD_PAGE];
}

/* Finds the kind of a foreign descriptor, when it is first watched. The kind of sockets
 * that we made or accepted is already known. */
static enum cg__kind learn(int fd)
{
    struct sockaddr_storage addr;
    socklen_t size = sizeof(int);
    int value;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size) < 0)
        return errno == ENOTSOCK ? CG__PLAIN : CG__OTHER;
    if (value != SOCK_STREAM)
        return CG__OTHER;
    size = sizeof addr;
    if (getsockname(fd, (struct sockaddr *)&addr, &size) < 0 ||
        (addr.ss_family != AF_INET && addr.ss_family != AF_INET6))
        return CG__OTHER;
#ifdef SO_PROTOCOL
    size = sizeof value;
    if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &size) < 0 || value != IPPROTO_TCP)
        return CG__OTHER;
#endif
    return CG__TCP;
}

/* Input is always watched, since the end of the stream belongs to it. Room is watched from the
 * first wait for it on: most connections never wait, but each event would report room, too, and
 * so would one of its own when the descriptor is registered. */
static unsigned wanted_of_edges(const struct cg__fd *d, unsigned events)
{
    if (events == 0 && !d->owned)
        return 0;
    return d->watched | (events & CG_OUT ? CG__BOTH : events != 0 ? CG_IN : 0);
}

static unsigned wanted(const struct cg__readiness *r, const struct cg__fd *d)
{
    unsigned events = 0;

    for (const struct cg_io *io = d->polls; io; io = io->next)
        events |= cg__fd_polls_end(io) && (r->watcher->ends || r->watcher->edge)
                      ? CG_HUP
                      : io->events & CG__BOTH;
    if (d->in && !d->due)
        events |= CG_IN;
    if (d->out && !d->due)
        events |= CG_OUT;
    return r->watcher->edge ? wanted_of_edges(d, events) : events;
}

void cg__fd_watch_less(struct cg__readiness *r, struct cg__fd *d)
{
    unsigned events = d->watched & wanted(r, d);

    if (events != d->watched) {
        cg__fd_tell(r, d, events);
        d->watched = events;
    }
}

/* If a descriptor cannot be watched, its requests are tried again after a pause and then
 * complete. */
void cg__fd_watch_again(struct cg__readiness *r)
{
    for (size_t page = 0; page < r->page_count; page++) {
        for (int i = 0; i < CG__FD_PAGE && r->pages[page]; i++) {
            struct cg__fd *d = &r->pages[page][i];
            unsigned events = d->watched;

            d->watched = 0;
            if (events && r->watcher->watch(r, d, events) == 0)
                d->watched = events;
            else if (events)
                cg__fd_pause(r, d, CG__RETRY_PAUSE);
        }
    }
}

static void be_due(struct cg__readiness *r, int64_t moment)
{
    if (!r->reactor.due || r->reactor.due > moment)
        r->reactor.due = moment;
}

void cg__fd_set_due(struct cg__readiness *r)
{
    r->reactor.due = r->check;
    for (struct cg__fd *d = r->paused; d; d = d->next_paused)
        be_due(r, d->due);
}

void cg__fd_check_later(struct cg__readiness *r)
{
    if (!r->check)
        r->check = cg__calls_clock(&r->reactor) + CG__CHECK_PAUSE;
    be_due(r, r->check);
}

/* Tries the requests again after a pause, with or without an event. Until then events
 * complete only POLLs. */
void cg__fd_pause(struct cg__readiness *r, struct cg__fd *d, int64_t length)
{
    if (!d->due) {
        d->next_paused = r->paused;
        r->paused = d;
    }
    d->due = cg__calls_clock(&r->reactor) + length;
    be_due(r, d->due);
    cg__fd_slacken(r, d);
}

void cg__fd_unpause(struct cg__readiness *r, struct cg__fd *d)
{
    struct cg__fd **link = &r->paused;

    if (!d->due)
        return;
    while (*link != d)
        link = &(*link)->next_paused;
    *link = d->next_paused;
    d->due = 0;
    cg__fd_set_due(r);
}

/* Watches for everything that requests need. Returns 0 or -errno. */
int cg__fd_watch_more(struct cg__readiness *r, struct cg__fd *d)
{
    unsigned events = wanted(r, d);
    int error;

    if (!(events & ~d->watched))
        return 0;
    if (d->owned && d->kind == CG__UNKNOWN)
        d->kind = learn(d->fd);
    events |= d->watched;
    error = cg__fd_tell(r, d, events);
    if (error == -EPERM) { /* epoll refuses files that are always ready */
        cg__fd_pause(r, d, CG__RETRY_PAUSE);
        return 0;
    }
    if (!error)
        d->watched = events;
    return error;
}

/* Ends this use of a descriptor number. */
void cg__fd_clear(struct cg__readiness *r, struct cg__fd *d)
{
    cg__fd_unpause(r, d);
    cg__fd_unwatch(r, d);
    if (r->watcher->drop)
        r->watcher->drop(r, d);
    d->generation++;
    d->kind = CG__UNKNOWN;
    d->ready = CG__BOTH;
    d->owned = false;
    d->error = 0;
}

/* A descriptor that we have just made. What is known about its number concerns another
 * descriptor, which was polled and then closed by its owner. */
void cg__fd_adopt(struct cg__readiness *r, int fd, enum cg__kind kind)
{
    struct cg__fd *d = (unsigned)fd < r->limit ? cg__fd_get(r, fd) : NULL;

    if (!d) /* without a record; the first op on it will return -ENOMEM */
        return;
    cg__readiness_forget(&r->reactor, fd);
    d->owned = true;
    d->kind = kind;
}

void cg__fd_free_all(struct cg__readiness *r)
{
    for (size_t page = 0; page < r->page_count; page++) {
        for (int i = 0; i < CG__FD_PAGE && r->pages[page] && r->watcher->drop; i++)
            r->watcher->drop(r, &r->pages[page][i]);
        free(r->pages[page]);
    }
    free(r->pages);
}
