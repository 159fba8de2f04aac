/* SPDX-License-Identifier: MIT */
/* The steps of handshakes are shared out among the turns: each costs as much as moving
 * hundreds of KiB, and a thousand strangers may ask for one at once. One step of a
 * configuration's handshakes is done in a turn; the others wait in the order in which they
 * came, not in the ready queue, where they would stand before everybody else. */
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

/* Yielded before a step: 0 once it may be done. */
struct cg__tls_turn_op {
    CG_OP_HEAD;
    struct cg_tls *tls;
    struct cg__tls_turn_op *after, *before;
};

extern const struct cg_op_type cg__tls_turn_type;

#endif
