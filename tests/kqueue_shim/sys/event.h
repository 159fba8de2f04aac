/* SPDX-License-Identifier: MIT */
/* A shim, for tests on systems without kqueue: the little of it that
 * reactors/readiness/kqueue.c uses, over epoll. It shows that the backend's logic holds,
 * not how a real kqueue behaves. */
#ifndef COGEN_TESTS_KQUEUE_SHIM_EVENT_H
#define COGEN_TESTS_KQUEUE_SHIM_EVENT_H

#include <stdint.h>
#include <time.h>

enum {
    EVFILT_READ = -1,
    EVFILT_WRITE = -2,
};

enum {
    EV_ADD = 0x0001,
    EV_DELETE = 0x0002,
    EV_ONESHOT = 0x0010,
    EV_ERROR = 0x4000,
    EV_EOF = 0x8000,
};

enum {
    NOTE_LOWAT = 0x0001,
};

struct kevent {
    uintptr_t ident;
    short filter;
    unsigned short flags;
    unsigned fflags;
    int64_t data;
    void *udata;
};

#define EV_SET(event, i, f, fl, ff, d, u)                                                  \
    (*(event) = (struct kevent){.ident = (i),                                              \
                                .filter = (f),                                             \
                                .flags = (fl),                                             \
                                .fflags = (ff),                                            \
                                .data = (d),                                               \
                                .udata = (u)})

int kqueue(void);

/* changes: filters and flags of the enums above, EV_ADD always with EV_ONESHOT; nothing
 * else. */
int kevent(int kq, const struct kevent *changes, int change_count, struct kevent *events,
           int event_count, const struct timespec *timeout);

#endif
