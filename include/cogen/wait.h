/* SPDX-License-Identifier: MIT */
/* Lists of waiters, embedded in the objects of sync.h, queue.h and pubsub.h and in their
 * operations. The contents are the library's. */
#ifndef COGEN_WAIT_H
#define COGEN_WAIT_H

/* One operation's entry in a list of waiters. */
struct cg_wait {
    struct cg_wait *next, *prev;
};

/* The waiters of an object in order of arrival; zero: none. */
struct cg_waiters {
    struct cg_wait *first;
};

#endif
