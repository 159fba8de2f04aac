/* SPDX-License-Identifier: MIT */
/* Errands: work that an op gives to another scheduler ("there"), and whose result comes
 * back to the op's own scheduler ("home"). An errand is one block of memory, which is
 * posted there and then posted back, so that only one side uses it at a time. */
#ifndef COGEN_LIB_THREADS_ERRAND_H
#define COGEN_LIB_THREADS_ERRAND_H

#include "lib/threads/away.h"

/* The first field of a block from malloc. The sender sets `there` and `arrive`. */
struct cg__errand {
    struct cg__post post;
    struct cg_sched *there, *home;
    /* Called there, unless the op was cancelled before. Does the work, and must call
     * cg__errand_return once, in the same thread, now or later. */
    void (*arrive)(struct cg__errand *errand);
    struct cg_op *op;     /* only home uses this field and the next one */
    struct cg__away away; /* in home's list of errands that are not back */
    ssize_t result;
    atomic_int state;
    atomic_uint refs;
};

/* Sends an errand, for a process slot that ends with `return cg__errand_send(...)`.
 * Holds the run open until the errand is back. The op completes with its result;
 * -ESRCH: the other scheduler no longer runs errands. Ownership of the block passes to
 * this function. */
enum cg_verdict cg__errand_send(struct cg__errand *errand, struct cg_op *op,
                                struct cg_sched *home);

/* Withdraws an errand, for a cancel slot. True: the other scheduler had not begun it, it
 * has no effect, and the block must not be used any more. False: it has begun, and will
 * come back. */
bool cg__errand_withdraw(struct cg__errand *errand);

/* Posts the errand back with its result. Called in the thread that has run it. */
void cg__errand_return(struct cg__errand *errand, ssize_t result);

/* Take and release a reference to the block. */
void cg__errand_ref(struct cg__errand *errand);
void cg__errand_unref(struct cg__errand *errand);

/* Makes the scheduler refuse errands, when its last run has ended but it is not freed yet:
 * errands come back with -ESRCH, also those that have arrived and are not begun. Called in
 * the scheduler's thread. */
void cg__errand_refuse(struct cg_sched *sched);

#endif
