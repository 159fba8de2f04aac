/* SPDX-License-Identifier: MIT */
/* Distributes the steps of handshakes over a scheduler's turns: each step costs as much
 * as moving hundreds of KiB, and a thousand strangers may ask for one at once. Per turn
 * one step for each configuration is done. The others wait here, oldest first, and not in
 * the ready queue, where they would run before everybody else. A configuration has one of
 * these for each scheduler that uses it; only that scheduler's thread touches it. */
#ifndef COGEN_TLS_TURN_H
#define COGEN_TLS_TURN_H

#include <cogen.h>

struct cg_tls;
struct cg__tls_turn_op;

struct cg__tls_turns {
    struct cg_deferred next; /* must be first; queued while steps wait */
    int64_t taken; /* the clock of the last turn in which a step was done */
    struct cg_tls *tls;
    struct cg_sched *sched;
    struct cg__tls_turns *beside; /* those of another scheduler */
    unsigned refs;
    struct cg__tls_turn_op *first, *last;
};

/* Returns a reference to the turns of a configuration in a scheduler, in that scheduler's
 * thread. Returns NULL if there is no memory. */
struct cg__tls_turns *cg__tls_turn_ref(struct cg_tls *tls, struct cg_sched *sched);
void cg__tls_turn_unref(struct cg__tls_turns *turns);

/* Yield it before a step; it completes with 0 when the step may be done. */
struct cg__tls_turn_op {
    CG_OP_HEAD;
    struct cg__tls_turns *turns;
    struct cg__tls_turn_op *after, *before;
};

extern const struct cg_op_type cg__tls_turn_type;

#endif
