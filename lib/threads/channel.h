/* SPDX-License-Identifier: MIT */
/* Channels. Under one lock the threads share a ring of items and two lines of seats, one
 * for items and one for room. A seat represents a scheduler at a channel while coroutines
 * of the scheduler wait there. Their operations are in lists that only their own thread
 * uses.
 *
 * A thread never gives an item to a waiter of another thread. A thread that adds an item
 * notifies the first seat in the line for items, by its post. The thread of that seat then
 * takes as many items as it can for its waiters. In the same way a thread that takes an
 * item notifies the first seat in the line for room. A notified seat may find that another
 * thread was faster; then it waits again, at the head of the line. If its waiters were
 * cancelled, or leave items or room, it notifies the next seat. So while there are items
 * and seats that wait for them, a notification is on its way; and the same for room. */
#ifndef COGEN_LIB_THREADS_CHANNEL_H
#define COGEN_LIB_THREADS_CHANNEL_H

#include "lib/core/sched.h"

#include <cogen/channel.h>

#include <pthread.h>

/* What a seat may wait for. */
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
    /* The next fields are used by the scheduler's thread only. */
    struct cg_waiters waiters[CG__WANTS];
    struct cg__seat *next_mine, **link_mine; /* in the list of the scheduler's seats */
    bool serving; /* its waiters are being completed, which may cancel others of them */
    /* The next fields are protected by the channel's lock. */
    struct cg__seat *next, **link; /* in the list of the channel's seats */
    struct cg__place place[CG__WANTS];
    bool notified; /* its post is on the way */
    struct cg__seat *told; /* the next one to be posted, while a channel is closed */
};

struct cg_channel {
    pthread_mutex_t lock; /* protects the following fields */
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

/* Put a seat into a line, or take it out; no effect if that is already so. The caller
 * holds the lock, here and in all functions below except cg__channel_post. */
void cg__channel_stand(struct cg__seat *seat, enum cg__want want, bool first);
void cg__channel_step_out(struct cg__seat *seat, enum cg__want want);

/* Takes the first seat out of a line. Returns it if the caller must call cg__channel_post
 * for it after releasing the lock; until then the seat's scheduler is entered
 * (cg__post_enter), so that it is not freed. NULL: there is none, or its post is on the
 * way. */
struct cg__seat *cg__channel_notify(struct cg_channel *channel, enum cg__want want);

/* Whether only schedulers whose coroutines wait at it still have references to it. Called
 * without the lock. */
bool cg__channel_is_abandoned(struct cg_channel *channel);

/* Posts a seat to its scheduler; called without the lock. NULL is ignored. The seat may
 * have been freed when this returns. */
void cg__channel_post(struct cg__seat *seat);

/* push adds an item, and returns 0, -EPIPE or -EAGAIN. pop takes 1 to n items, and
 * returns their number, CG_EOF or -EAGAIN. *other is set to a seat that must be posted,
 * or NULL. */
int cg__channel_push(struct cg_channel *channel, const void *item, struct cg__seat **other);
ssize_t cg__channel_pop(struct cg_channel *channel, void *items, size_t n,
                        struct cg__seat **other);

#endif
