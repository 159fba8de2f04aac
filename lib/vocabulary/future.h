/* SPDX-License-Identifier: MIT */
/* What the scheduler does about futures and handles. */
#ifndef COGEN_LIB_VOCABULARY_FUTURE_H
#define COGEN_LIB_VOCABULARY_FUTURE_H

#include "lib/core/sched.h"

/* The timer of a handle (kind 2) is due. */
void cg__handle_expired(struct cg_timer *timer);

/* The scheduler is being freed: frees the handles whose calls will not be made, and lets go
 * of the futures whose callbacks will not be. */
void cg__handle_drop_all(struct cg_sched *sched);

/* If this is a future's, lets go of it. */
void cg__future_drop(struct cg_deferred *deferred);

#endif
