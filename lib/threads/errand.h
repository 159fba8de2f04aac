/* SPDX-License-Identifier: MIT */
/* Errands: what an op has another scheduler do. An errand is one block of memory that goes
 * there as a post and comes back as a post, so that at any time one side has it. */
#ifndef COGEN_LIB_THREADS_ERRAND_H
#define COGEN_LIB_THREADS_ERRAND_H

#include "lib/core/sched.h"

/* At the beginning of a block from malloc. The sender sets `there` and `arrive`. */
struct cg__errand {
    struct cg__post post;
    struct cg_sched *there, *home;
    /* Called there, unless the op was cancelled before: does the work and sees to it that
     * cg__errand_return is called, once and in the same thread, now or later. */
    void (*arrive)(struct cg__errand *errand);
    struct cg_op *op;                /* these are home's: */
    struct cg__errand *next, **link; /* of those that are on their way */
    ssize_t result;
    atomic_int state;
    atomic_uint refs;
};

/* For a process slot that ends with `return cg__errand_send(...)`: sends it and holds the
 * run open until it is back. The op completes with its result; -ESRCH: the other scheduler
 * does not run errands any more. Takes over the block. */
enum cg_verdict cg__errand_send(struct cg__errand *errand, struct cg_op *op,
                                struct cg_sched *home);

/* For a cancel slot: takes back an errand that the other scheduler has not begun; then it
 * has no effect, and the block is gone. False: it has begun, and will come back. */
bool cg__errand_withdraw(struct cg__errand *errand);

/* There: sends the errand home with its result. */
void cg__errand_return(struct cg__errand *errand, ssize_t result);

/* One more owner of the block, and one less. */
void cg__errand_ref(struct cg__errand *errand);
void cg__errand_unref(struct cg__errand *errand);

/* The scheduler's run has ended for good, although it is not freed yet: errands come back
 * from now on with -ESRCH, also those that have arrived and are not begun. Scheduler's
 * thread only. */
void cg__errand_refuse(struct cg_sched *sched);

#endif
