/* SPDX-License-Identifier: MIT */
/* Distributes the steps of handshakes over the scheduler's turns: each step costs as much
 * as moving hundreds of KiB, and a thousand strangers may ask for one at once. Per turn
 * one step for each configuration is done. The others wait here, oldest first, and not in
 * the ready queue, where they would run before everybody else. */
#ifndef COGEN_TLS_TURN_H
#define COGEN_TLS_TURN_H

#include <cogen.h>

struct cg_tls;
struct cg__tls_turn_op;

struct cg__tls_turns {
    struct cg_deferred next; /* queued while the turn is taken */
    struct cg_sched *sched;
    struct cg__tls_turn_op *first, *last;
};

/* Yield it before a step; it completes with 0 when the step may be done. */
struct cg__tls_turn_op {
    CG_OP_HEAD;
    struct cg_tls *tls;
    struct cg__tls_turn_op *after, *before;
};

extern const struct cg_op_type cg__tls_turn_type;

#endif
