/* SPDX-License-Identifier: MIT */
/* The processors on which a thread may run. */
#ifndef COGEN_LIB_BASE_AFFINITY_H
#define COGEN_LIB_BASE_AFFINITY_H

struct cg__affinity;

/* How many processors the calling thread may use, at least 1. */
unsigned cg__affinity_count(void);

/* Lets the calling thread run only on the k-th of the n processors that it may use now
 * (modulo n). Returns the old set, for cg__affinity_restore; NULL: nothing has changed. */
struct cg__affinity *cg__affinity_pin(unsigned k);

/* Restores the old set. */
void cg__affinity_restore(struct cg__affinity *before);

#endif
