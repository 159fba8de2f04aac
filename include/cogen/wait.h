/* SPDX-License-Identifier: MIT */
/* Places in a list of waiters: what the objects of sync.h, queue.h and pubsub.h and their
 * operations have inside. The contents are the library's. */
#ifndef COGEN_WAIT_H
#define COGEN_WAIT_H

/* The place of one operation among those who wait for the same thing. */
struct cg_wait {
    struct cg_wait *next, *prev;
};

/* Those who wait, in the order of their coming; zero: nobody. */
struct cg_waiters {
    struct cg_wait *first;
};

#endif
