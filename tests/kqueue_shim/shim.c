/* SPDX-License-Identifier: MIT */
/* A small kqueue over epoll, for tests. A queue is an epoll descriptor, so that it can be
 * polled and closed as a real one; its knotes are kept beside it, by that number. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/event.h>

enum { QUEUES = 65536, BATCH = 64 };

struct notes { /* of one descriptor */
    bool reads, writes;
    bool low; /* reading reports the end of the stream only (NOTE_LOWAT) */
    void *read_udata, *write_udata;
};

static struct queue {
    struct notes *notes; /* by descriptor */
    size_t count;
} queues[QUEUES];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int kqueue(void)
{
    int kq = epoll_create1(EPOLL_CLOEXEC);

    if (kq < 0)
        return -1;
    assert(kq < QUEUES);
    pthread_mutex_lock(&lock);
    free(queues[kq].notes); /* of an earlier kqueue with this number, which was closed */
    queues[kq] = (struct queue){.count = 0};
    pthread_mutex_unlock(&lock);
    return kq;
}

static struct notes *notes_of(int kq, uintptr_t ident)
{
    struct queue *queue = &queues[kq];
    size_t count = queue->count ? queue->count : 64;
    struct notes *notes;

    if (ident < queue->count)
        return &queue->notes[ident];
    while (count <= ident)
        count *= 2;
    if (!(notes = realloc(queue->notes, count * sizeof *notes)))
        return NULL;
    memset(notes + queue->count, 0, (count - queue->count) * sizeof *notes);
    queue->notes = notes;
    queue->count = count;
    return &notes[ident];
}

/* Makes epoll watch for what the knotes want: 0 or an errno. */
static int apply(int kq, uintptr_t ident, const struct notes *notes)
{
    struct epoll_event event = {
        .events = (notes->reads ? (notes->low ? 0 : EPOLLIN) | EPOLLRDHUP : 0) |
                  (notes->writes ? EPOLLOUT : 0),
        .data.u64 = ident,
    };

    if (!event.events)
        return epoll_ctl(kq, EPOLL_CTL_DEL, ident, NULL) < 0 ? errno : 0;
    if (epoll_ctl(kq, EPOLL_CTL_MOD, ident, &event) == 0)
        return 0;
    if (errno != ENOENT)
        return errno;
    return epoll_ctl(kq, EPOLL_CTL_ADD, ident, &event) < 0 ? errno : 0;
}

static int change(int kq, const struct kevent *change)
{
    struct notes *notes = notes_of(kq, change->ident);
    bool reading = change->filter == EVFILT_READ, *on;
    int error;

    if (!notes)
        return ENOMEM;
    assert(reading || change->filter == EVFILT_WRITE);
    on = reading ? &notes->reads : &notes->writes;
    if (change->flags == EV_DELETE) {
        if (!*on)
            return ENOENT;
        *on = false;
        return apply(kq, change->ident, notes);
    }
    assert(change->flags == (EV_ADD | EV_ONESHOT));
    *on = true;
    if (reading)
        notes->low = change->fflags == NOTE_LOWAT;
    *(reading ? &notes->read_udata : &notes->write_udata) = change->udata;
    if ((error = apply(kq, change->ident, notes)))
        *on = false;
    return error;
}

/* The events of one descriptor, at most two; their knotes are gone then. */
static int fire(int kq, const struct epoll_event *event, struct kevent *out)
{
    struct notes *notes = notes_of(kq, event->data.u64);
    uint32_t bad = event->events & (EPOLLHUP | EPOLLERR);
    uint32_t end = event->events & (EPOLLHUP | EPOLLRDHUP);
    int n = 0;

    if (notes->reads && event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        EV_SET(&out[n++], event->data.u64, EVFILT_READ, EV_ONESHOT | (end ? EV_EOF : 0), 0,
               0, notes->read_udata);
        notes->reads = false;
    }
    if (notes->writes && (event->events & EPOLLOUT || bad)) {
        EV_SET(&out[n++], event->data.u64, EVFILT_WRITE, EV_ONESHOT | (bad ? EV_EOF : 0), 0,
               0, notes->write_udata);
        notes->writes = false;
    }
    if (n > 0)
        apply(kq, event->data.u64, notes);
    return n;
}

static int milliseconds(const struct timespec *timeout)
{
    if (!timeout)
        return -1;
    if (timeout->tv_sec > 1000000)
        return 1000000000;
    return timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000;
}

int kevent(int kq, const struct kevent *changes, int change_count, struct kevent *events,
           int event_count, const struct timespec *timeout)
{
    struct epoll_event found[BATCH];
    int most = event_count / 2 < BATCH ? event_count / 2 : BATCH, count, n = 0, error = 0;

    pthread_mutex_lock(&lock);
    for (int i = 0; i < change_count && !error; i++)
        error = change(kq, &changes[i]);
    pthread_mutex_unlock(&lock);
    if (error) {
        errno = error;
        return -1;
    }
    if (!event_count)
        return 0;
    count = epoll_wait(kq, found, most, milliseconds(timeout));
    pthread_mutex_lock(&lock);
    for (int i = 0; i < count; i++)
        n += fire(kq, &found[i], &events[n]);
    pthread_mutex_unlock(&lock);
    return count < 0 ? -1 : n;
}
