/* SPDX-License-Identifier: MIT */
/* Channels. The threads share a ring of items, and two lines of seats under one lock: a seat
 * is what a scheduler has at a channel while coroutines of it wait there. Their operations
 * stay in lists of their own thread.
 *
 * Items are never handed to a waiter by another thread. Whoever adds an item notifies the
 * first seat in line for items by its post, and that seat's thread comes and takes what it
 * can for its waiters; whoever takes one notifies the first seat in line for room. A notified
 * seat may find that somebody else was faster, and waits again, at the head of the line; or
 * that its waiters were cancelled, or leave something over: then it notifies the next one. So
 * this holds: while there are items and a line for them, a notification is on its way; and
 * the same for room. */
#ifndef COGEN_LIB_THREADS_CHANNEL_H
#define COGEN_LIB_THREADS_CHANNEL_H

#include "lib/core/sched.h"

#include <cogen/channel.h>

#include <pthread.h>

/* What one may wait for. */
enum cg__want { CG__ITEMS, CG__ROOM, CG__WANTS };

struct cg__place {
    struct cg__seat *next, *prev;
    bool taken;
};

struct cg__line {
    struct cg__seat *first, *last;
};

struct cg__seat {
    struct cg__post post; /* must be first */
    struct cg_channel *channel;
    struct cg_sched *sched;
    /* used by the scheduler's thread only: */
    struct cg_waiters waiters[CG__WANTS];
    struct cg__seat *next_mine, **link_mine; /* of the scheduler's seats */
    bool serving; /* its waiters are being completed, which may cancel others of them */
    /* under the channel's lock: */
    struct cg__seat *next, **link; /* of the channel's seats */
    struct cg__place place[CG__WANTS];
    bool notified; /* its post is on the way */
    struct cg__seat *told; /* the next one to be posted, while a channel is closed */
};

struct cg_channel {
    pthread_mutex_t lock; /* of the following */
    size_t head, count;
    bool closed;
    struct cg__line line[CG__WANTS];
    struct cg__seat *seats;
    size_t limit;
    void (*drop)(void *item);
    const char *name;
    atomic_size_t refs;
    const void *ring[];
};

/* Puts a seat into a line; takes it out. No effect if it is there already, or not there.
 * These, and all below but cg__channel_post, are called with the lock held. */
void cg__channel_stand(struct cg__seat *seat, enum cg__want want, bool first);
void cg__channel_step_out(struct cg__seat *seat, enum cg__want want);

/* Takes the first seat out of a line. Returns it if it must be posted, by cg__channel_post,
 * when the lock has been released: until then it is entered, so that its scheduler stays.
 * NULL: there is none, or its post is on the way. */
struct cg__seat *cg__channel_notify(struct cg_channel *channel, enum cg__want want);

/* Without the lock. NULL is ignored. The seat may be gone when it returns. */
void cg__channel_post(struct cg__seat *seat);

/* Adds an item: 0, -EPIPE or -EAGAIN. Takes 1 to n: their number, CG_EOF or -EAGAIN. *other
 * is set to a seat that must be posted, or NULL. */
int cg__channel_push(struct cg_channel *channel, const void *item, struct cg__seat **other);
ssize_t cg__channel_pop(struct cg_channel *channel, void *items, size_t n,
                        struct cg__seat **other);

#endif
