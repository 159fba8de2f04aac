/* SPDX-License-Identifier: MIT */
/* Completion out of readiness: try the call, watch the descriptor, try again. What is known
 * about a descriptor is remembered, so that in the steady state a request costs one receive,
 * one send and a share of a wait. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_EVENTFD
#include <sys/eventfd.h>
#endif

#include "reactors/calls.h"
#include "reactors/readiness.h"

enum {
    PAGE = 256, /* records allocated at a time */
    BOTH = CG_IN | CG_OUT,
    STARTED = 1, /* mark of a CONNECT that is under way */
    CHOSEN = 1,  /* mark of a POLL to be looked at in this round */
};

#define ACCEPT_PAUSE (100 * CG_MILLISECOND) /* out of descriptors or memory */
#define RETRY_PAUSE (10 * CG_MILLISECOND)   /* nothing tells when */

enum kind {
    UNKNOWN,
    TCP,   /* a short count proves that nothing is left, or no room */
    OTHER, /* sockets of which only EAGAIN proves it */
    PLAIN, /* no socket: read and write */
};

static void complete(struct cg_io *io, ssize_t result)
{
    io->state = CG_IO_IDLE;
    io->complete(io, result);
}

static enum cg_verdict done(struct cg_io *io, ssize_t result)
{
    io->state = CG_IO_IDLE;
    io->result = result;
    return CG_DONE;
}

static unsigned direction(const struct cg_io *io)
{
    return io->code == CG_IO_RECV || io->code == CG_IO_ACCEPT ? CG_IN : CG_OUT;
}

/* ---- The records of descriptors ---- */

struct cg__fd *cg__readiness_find(struct cg__readiness *r, int fd)
{
    size_t page = (size_t)fd / PAGE;

    return fd >= 0 && page < r->page_count && r->pages[page] ? &r->pages[page][fd % PAGE]
                                                             : NULL;
}

/* Finds or makes it; NULL: no memory. Records never move: a completion may make others
 * while one is in use. */
static struct cg__fd *record(struct cg__readiness *r, int fd)
{
    size_t page = (size_t)fd / PAGE, count = r->page_count ? r->page_count : 4;
    struct cg__fd **pages, *d;

    if ((d = cg__readiness_find(r, fd)))
        return d;
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
    if (!(d = calloc(PAGE, sizeof *d)))
        return NULL;
    r->pages[page] = d;
    for (int i = 0; i < PAGE; i++) {
        d[i].fd = page * PAGE + i;
        d[i].ready = BOTH;
    }
    return &d[fd % PAGE];
}

/* Asked once a descriptor, when it is first watched; sockets made or accepted by us are
 * known already. */
static enum kind learn(int fd)
{
    struct sockaddr_storage addr;
    socklen_t size = sizeof(int);
    int value;

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size) < 0)
        return errno == ENOTSOCK ? PLAIN : OTHER;
    if (value != SOCK_STREAM)
        return OTHER;
    size = sizeof addr;
    if (getsockname(fd, (struct sockaddr *)&addr, &size) < 0 ||
        (addr.ss_family != AF_INET && addr.ss_family != AF_INET6))
        return OTHER;
#ifdef SO_PROTOCOL
    size = sizeof value;
    if (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &size) < 0 || value != IPPROTO_TCP)
        return OTHER;
#endif
    return TCP;
}

/* ---- Watching ---- */

static unsigned wanted(const struct cg__readiness *r, const struct cg__fd *d)
{
    unsigned events = 0;

    for (const struct cg_io *io = d->polls; io; io = io->next)
        events |= io->events & BOTH;
    if (d->in && !d->due)
        events |= CG_IN;
    if (d->out && !d->due)
        events |= CG_OUT;
    if (r->watcher->edge && (events || (d->owned && d->watched)))
        return BOTH;
    return events;
}

static void watch_less(struct cg__readiness *r, struct cg__fd *d)
{
    unsigned events = d->watched & wanted(r, d);

    if (events != d->watched) {
        r->watcher->watch(r, d, events);
        d->watched = events;
    }
}

void cg__readiness_tighten(struct cg__readiness *r)
{
    struct cg__fd *d;

    while ((d = r->slack)) {
        r->slack = d->next_slack;
        d->slack = false;
        watch_less(r, d);
    }
}

/* An op no longer waits. Of our own descriptors this is looked at before the next wait:
 * most likely the same will be wanted again by then. One that was only polled is let go at
 * once, since it may be closed, and its number be given to another file, unseen by us. */
static void slacken(struct cg__readiness *r, struct cg__fd *d)
{
    if (!d->owned) {
        watch_less(r, d);
    } else if (!d->slack && d->watched & ~wanted(r, d)) {
        d->slack = true;
        d->next_slack = r->slack;
        r->slack = d;
    }
}

/* Looks at it again after a pause, whatever the kernel says or does not say till then. */
static void pause_fd(struct cg__readiness *r, struct cg__fd *d, int64_t length)
{
    if (!d->due) {
        d->next_paused = r->paused;
        r->paused = d;
    }
    d->due = cg__clock(&r->reactor) + length;
    if (!r->reactor.due || r->reactor.due > d->due)
        r->reactor.due = d->due;
    slacken(r, d);
}

static void unpause(struct cg__readiness *r, struct cg__fd *d)
{
    struct cg__fd **link = &r->paused;

    if (!d->due)
        return;
    while (*link != d)
        link = &(*link)->next_paused;
    *link = d->next_paused;
    d->due = r->reactor.due = 0;
    for (d = r->paused; d; d = d->next_paused)
        if (!r->reactor.due || r->reactor.due > d->due)
            r->reactor.due = d->due;
}

/* Watches for all that is wanted: 0 or -errno. */
static int watch_more(struct cg__readiness *r, struct cg__fd *d)
{
    unsigned events = wanted(r, d);
    int error;

    if (!(events & ~d->watched))
        return 0;
    if (d->owned && d->kind == UNKNOWN)
        d->kind = learn(d->fd);
    events |= d->watched;
    error = r->watcher->watch(r, d, events);
    if (error == -EPERM) { /* epoll refuses what it takes for always ready */
        pause_fd(r, d, RETRY_PAUSE);
        return 0;
    }
    if (!error)
        d->watched = events;
    return error;
}

/* ---- POLL ---- */

/* Which of these it is ready for now; 0: none; -errno. */
static int poll_now(int fd, unsigned events)
{
    struct pollfd p = {
        .fd = fd,
        .events = (events & CG_IN ? POLLIN : 0) | (events & CG_OUT ? POLLOUT : 0),
    };
    int n;

    do
        n = poll(&p, 1, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    if (p.revents & POLLNVAL)
        return -EBADF;
    return (p.revents & POLLIN ? CG_IN : 0) | (p.revents & POLLOUT ? CG_OUT : 0) |
           (p.revents & POLLERR ? CG_ERR : 0) | (p.revents & POLLHUP ? CG_HUP : 0);
}

static void add_poll(struct cg__fd *d, struct cg_io *io)
{
    io->next = NULL;
    if (d->polls) {
        io->prev = d->polls->prev;
        io->prev->next = io;
        d->polls->prev = io;
    } else {
        d->polls = io->prev = io;
    }
}

static void remove_poll(struct cg__fd *d, struct cg_io *io)
{
    if (io->next)
        io->next->prev = io->prev;
    else
        d->polls->prev = io->prev;
    if (d->polls == io)
        d->polls = io->next;
    else
        io->prev->next = io->next;
}

/* A completion may add and remove others, so those to look at are chosen first. */
static void choose_polls(struct cg__fd *d)
{
    for (struct cg_io *io = d->polls; io; io = io->next)
        io->mark = CHOSEN;
}

static struct cg_io *chosen_poll(struct cg__fd *d)
{
    for (struct cg_io *io = d->polls; io; io = io->next) {
        if (io->mark == CHOSEN) {
            io->mark = 0;
            return io;
        }
    }
    return NULL;
}

static enum cg_verdict submit_poll(struct cg__readiness *r, struct cg__fd *d,
                                   struct cg_io *io)
{
    int result;

    if (!(io->events & BOTH))
        return done(io, -EINVAL);
    /* Asked now: what is remembered may be about another file of this number. */
    if ((result = poll_now(d->fd, io->events)))
        return done(io, result);
    io->mark = 0;
    add_poll(d, io);
    if ((result = watch_more(r, d))) {
        remove_poll(d, io);
        return done(io, result);
    }
    io->state = CG_IO_PENDING;
    return CG_PENDING;
}

/* False: d lives another life now. */
static bool finish_polls(struct cg__readiness *r, struct cg__fd *d)
{
    uint32_t generation = d->generation;
    struct cg_io *io;
    int result;

    choose_polls(d);
    while ((io = chosen_poll(d))) {
        /* The kernel's word and not the event's: select knows no HUP, others more. */
        if (!(result = poll_now(d->fd, io->events)))
            continue;
        remove_poll(d, io);
        slacken(r, d);
        complete(io, result);
        if (d->generation != generation)
            return false;
    }
    return true;
}

/* ---- The calls ---- */

/* Was less moved than asked for? Counts what the kernel was asked for in one call. */
static bool fell_short(const struct cg_io *io, ssize_t n)
{
    size_t asked = 0;

    if (io->code == CG_IO_RECV)
        asked = io->chunk ? io->chunk->size : io->len;
    else if (io->code == CG_IO_SEND)
        asked = io->len;
    else if (io->code == CG_IO_SENDV)
        for (int i = 0; i < io->iovcnt && i < CG__PARTS && asked <= (size_t)n; i++)
            asked += io->iov[i].iov_len;
    /* SENDFILE: may also be the end of the file. */
    if (asked > CG__AT_ONCE)
        asked = CG__AT_ONCE;
    return (size_t)n < asked;
}

/* Remembers what a result says about readiness. After a short count the kernel will tell of
 * more (another edge), so it need not be asked again until then. That holds for TCP alone
 * (a UNIX socket reads short where descriptors were passed), and not once the end is near:
 * data and FIN can come as one edge, after which no other follows. */
static void remember(struct cg__fd *d, const struct cg_io *io, ssize_t n)
{
    if (n == -EAGAIN)
        d->ready &= ~direction(io);
    else if (n == 0 && io->code == CG_IO_RECV)
        d->last = true;
    else if (n > 0 && d->kind == TCP && !d->last && io->code != CG_IO_ACCEPT &&
             fell_short(io, n))
        d->ready &= ~direction(io);
}

/* Calls connect, for the first time or to learn how an attempt under way stands. */
static ssize_t call_connect(struct cg_io *io)
{
    if (connect(io->fd, io->addr, io->addrlen) == 0)
        return 0;
    switch (errno) {
    case EINPROGRESS:
    case EALREADY:
    case EINTR: /* goes on in the background */
        io->mark = STARTED;
        return -EAGAIN;
    case EISCONN:
        return io->mark == STARTED ? 0 : -EISCONN;
    }
    return -errno;
}

static ssize_t connect_result(const struct cg__fd *d, struct cg_io *io)
{
    struct sockaddr_storage addr;
    socklen_t size = sizeof(int);
    int error;

    if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    if (error || d->error)
        return error ? -error : -d->error;
    size = sizeof addr;
    if (getpeername(io->fd, (struct sockaddr *)&addr, &size) == 0)
        return 0;
    if (errno != ENOTCONN)
        return -errno;
    /* An event from before the connect, or somebody else has taken the error away. */
    return call_connect(io);
}

static ssize_t try_connect(struct cg__readiness *r, struct cg__fd *d, struct cg_io *io)
{
    ssize_t n;

    if (io->mark == STARTED)
        return connect_result(d, io);
    d->error = 0;
    n = call_connect(io);
    /* A UNIX listener's backlog is full. poll would call this socket writable. */
    if (n == -EAGAIN && io->mark != STARTED)
        pause_fd(r, d, RETRY_PAUSE);
    return n;
}

static bool exhausted(ssize_t error)
{
    return error == -EMFILE || error == -ENFILE || error == -ENOBUFS || error == -ENOMEM;
}

static void adopt(struct cg__readiness *r, int fd, enum kind kind);

/* The result, or -EAGAIN: to be watched, or paused. */
static ssize_t attempt(struct cg__readiness *r, struct cg__fd *d, struct cg_io *io)
{
    bool plain = d->kind == PLAIN;
    ssize_t n;

    if (io->code == CG_IO_CONNECT)
        return try_connect(r, d, io);
    n = cg__attempt(&r->reactor, io, &plain);
    if (plain)
        d->kind = PLAIN;
    if (io->code == CG_IO_ACCEPT && exhausted(n)) {
        pause_fd(r, d, ACCEPT_PAUSE);
        return -EAGAIN;
    }
    remember(d, io, n);
    if (io->code == CG_IO_ACCEPT && n >= 0)
        adopt(r, n, d->kind);
    return n;
}

/* False: d lives another life now. */
static bool finish(struct cg__readiness *r, struct cg__fd *d, struct cg_io **slot)
{
    uint32_t generation = d->generation;
    struct cg_io *io = *slot;
    ssize_t result;

    if (!io || (result = attempt(r, d, io)) == -EAGAIN)
        return true;
    *slot = NULL;
    slacken(r, d);
    complete(io, result);
    return d->generation == generation;
}

/* It cannot be watched any more. */
static void fail(struct cg__fd *d, int error)
{
    uint32_t generation = d->generation;
    struct cg_io *io;

    choose_polls(d);
    if ((io = d->in)) {
        d->in = NULL;
        complete(io, error);
    }
    if (d->generation == generation && (io = d->out)) {
        d->out = NULL;
        complete(io, error);
    }
    while (d->generation == generation && (io = chosen_poll(d))) {
        remove_poll(d, io);
        complete(io, error);
    }
}

static void try_all(struct cg__readiness *r, struct cg__fd *d, unsigned events)
{
    int error;

    if (!finish_polls(r, d) || (events & CG_IN && !finish(r, d, &d->in)) ||
        (events & CG_OUT && !finish(r, d, &d->out)))
        return;
    if ((error = watch_more(r, d))) /* what came once is asked for again */
        fail(d, error);
}

/* ---- Events ---- */

static void drain_wake(struct cg__readiness *r, struct cg__fd *d)
{
    uint64_t count;

    while (read(r->wake_in, &count, sizeof count) < 0 && errno == EINTR)
        ;
    atomic_exchange(&r->woken, false);
    if (!(d->watched & CG_IN) && r->watcher->watch(r, d, CG_IN) == 0)
        d->watched = CG_IN;
}

void cg__readiness_event(struct cg__readiness *r, struct cg__fd *d, unsigned events)
{
    if (d->fd == r->wake_in) {
        drain_wake(r, d);
        return;
    }
    if (events & (CG_ERR | CG_HUP)) {
        d->last = true;
        events |= BOTH;
    }
    if (events & CG__LAST) {
        d->last = true;
        events |= CG_IN;
    }
    d->ready |= events & BOTH;
    if (d->due) /* its data ops wait for the end of the pause */
        events = 0;
    try_all(r, d, events);
}

static void resume(struct cg__readiness *r)
{
    int64_t now = cg__clock(&r->reactor);
    struct cg__fd *d;

    while (r->reactor.due && r->reactor.due <= now) {
        for (d = r->paused; d->due != r->reactor.due;)
            d = d->next_paused;
        unpause(r, d);
        try_all(r, d, BOTH);
    }
}

int cg__readiness_wait(struct cg_reactor *reactor, int64_t timeout)
{
    struct cg__readiness *r = (struct cg__readiness *)reactor;
    int64_t left;
    int error;

    cg__readiness_tighten(r);
    if (reactor->due && timeout != 0) {
        left = reactor->due - cg__clock(reactor);
        if (left < timeout)
            timeout = left > 0 ? left : 0;
    }
    error = r->watcher->wait(r, timeout);
    if (reactor->due)
        resume(r);
    return error == -EINTR ? 0 : error;
}

/* ---- The other slots ---- */

/* Ends this life of a number. */
static void clear(struct cg__readiness *r, struct cg__fd *d)
{
    unpause(r, d);
    if (d->watched)
        r->watcher->watch(r, d, 0);
    if (r->watcher->drop)
        r->watcher->drop(r, d);
    d->watched = 0;
    d->generation++;
    d->kind = UNKNOWN;
    d->ready = BOTH;
    d->owned = d->last = false;
    d->error = 0;
}

/* A new descriptor of ours. What is known about its number is about another one, polled and
 * then closed by its owner. */
static void adopt(struct cg__readiness *r, int fd, enum kind kind)
{
    struct cg__fd *d = record(r, fd);

    if (!d) /* nothing to remember it by; the first op on it will say so */
        return;
    cg__readiness_forget(&r->reactor, fd);
    d->owned = true;
    d->kind = kind;
}

void cg__readiness_forget(struct cg_reactor *reactor, int fd)
{
    struct cg__readiness *r = (struct cg__readiness *)reactor;
    struct cg__fd *d = cg__readiness_find(r, fd);
    struct cg_io *io;

    if (!d)
        return;
    assert(!d->in && !d->out);
    clear(r, d);
    /* Somebody polls a descriptor that its owner closes: a mistake, but told to him. */
    choose_polls(d);
    while ((io = chosen_poll(d))) {
        remove_poll(d, io);
        complete(io, -EBADF);
    }
}

static enum cg_verdict call(struct cg__readiness *r, struct cg_io *io)
{
    cg__call(io);
    if (io->code == CG_IO_SOCKET && io->result >= 0) {
        bool tcp = (io->domain == AF_INET || io->domain == AF_INET6) &&
                   io->type == SOCK_STREAM &&
                   (io->protocol == 0 || io->protocol == IPPROTO_TCP);
        adopt(r, io->result, tcp ? TCP : OTHER);
    } else if (io->code == CG_IO_ATTACH && io->result >= 0) {
        adopt(r, io->fd, UNKNOWN);
    }
    return done(io, io->result);
}

enum cg_verdict cg__readiness_submit(struct cg_reactor *reactor, struct cg_io *io)
{
    struct cg__readiness *r = (struct cg__readiness *)reactor;
    struct cg_io **slot;
    struct cg__fd *d;
    ssize_t n;

    if (io->code >= CG_IO_SOCKET)
        return call(r, io);
    if (io->fd < 0)
        return done(io, -EBADF);
    if (r->watcher->limit && io->fd >= r->watcher->limit)
        return done(io, -EMFILE); /* too many open files for this reactor */
    if (!(d = record(r, io->fd)))
        return done(io, -ENOMEM);
    if (io->code == CG_IO_POLL)
        return submit_poll(r, d, io);
    slot = direction(io) == CG_IN ? &d->in : &d->out;
    if (*slot)
        return done(io, -EBUSY);
    d->owned = true;
    io->mark = 0;
    if (d->ready & direction(io) || io->code == CG_IO_CONNECT) {
        if ((n = attempt(r, d, io)) != -EAGAIN)
            return done(io, n);
    }
    *slot = io;
    if ((n = watch_more(r, d))) {
        *slot = NULL;
        return done(io, n);
    }
    io->state = CG_IO_PENDING;
    return CG_PENDING;
}

enum cg_verdict cg__readiness_cancel(struct cg_reactor *reactor, struct cg_io *io)
{
    struct cg__readiness *r = (struct cg__readiness *)reactor;
    struct cg__fd *d = cg__readiness_find(r, io->fd);

    assert(d && io->state == CG_IO_PENDING);
    if (io->code == CG_IO_POLL)
        remove_poll(d, io);
    else if (direction(io) == CG_IN)
        d->in = NULL;
    else
        d->out = NULL;
    if (!d->in && !d->out && !d->polls)
        unpause(r, d);
    slacken(r, d);
    io->state = CG_IO_IDLE;
    return CG_DONE;
}

void cg__readiness_wake(struct cg_reactor *reactor)
{
    struct cg__readiness *r = (struct cg__readiness *)reactor;
    uint64_t one = 1;
    int kept = errno;

    if (!atomic_exchange(&r->woken, true))
        while (write(r->wake_out, &one, sizeof one) < 0 && errno == EINTR)
            ;
    errno = kept;
}

/* ---- Open and close ---- */

#ifdef HAVE_EVENTFD
static int open_wake(struct cg__readiness *r)
{
    r->wake_in = r->wake_out = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return r->wake_in < 0 ? -errno : 0;
}
#else
static int open_wake(struct cg__readiness *r)
{
    int ends[2];

    if (pipe(ends) < 0)
        return -errno;
    r->wake_in = ends[0];
    r->wake_out = ends[1];
    for (int i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        cg__nonblocking(ends[i]);
    }
    return 0;
}
#endif

int cg__readiness_open(struct cg__readiness *r, const struct cg_reactor_type *type,
                       const struct cg__watcher *watcher)
{
    struct cg__fd *d;
    int error;

    r->reactor.type = type;
    r->watcher = watcher;
    r->wake_in = r->wake_out = -1;
    if ((error = open_wake(r)))
        return error;
    error = -EMFILE;
    if (watcher->limit && r->wake_in >= watcher->limit)
        goto closing;
    error = -ENOMEM;
    if (!(d = record(r, r->wake_in)))
        goto closing;
    d->owned = true;
    if ((error = watcher->watch(r, d, CG_IN)))
        goto closing;
    d->watched = CG_IN;
    return 0;
closing:
    cg__readiness_close(r);
    return error;
}

void cg__readiness_close(struct cg__readiness *r)
{
    for (size_t page = 0; page < r->page_count; page++) {
        for (int i = 0; i < PAGE && r->pages[page] && r->watcher->drop; i++)
            r->watcher->drop(r, &r->pages[page][i]);
        free(r->pages[page]);
    }
    free(r->pages);
    if (r->wake_out != r->wake_in)
        close(r->wake_out);
    close(r->wake_in);
    cg__chunks_free(&r->reactor);
}

/* ---- Time ---- */

int cg__milliseconds(int64_t timeout)
{
    if (timeout == CG_NEVER)
        return -1;
    if (timeout > (INT_MAX - 1) * CG_MILLISECOND)
        return INT_MAX;
    return timeout <= 0 ? 0 : (timeout + CG_MILLISECOND - 1) / CG_MILLISECOND;
}

struct timespec *cg__timespec(int64_t timeout, struct timespec *ts)
{
    if (timeout == CG_NEVER)
        return NULL;
    if (timeout < 0)
        timeout = 0;
    *ts = (struct timespec){.tv_sec = timeout / CG_SECOND, .tv_nsec = timeout % CG_SECOND};
    return ts;
}
