/* SPDX-License-Identifier: MIT */
/* Who waits for which name: a hash table of rings, one ring a name, that never allocates
 * for a wait. */
#ifndef COGEN_LIB_NAMES_H
#define COGEN_LIB_NAMES_H

#include <cogen/signal.h>

enum { CG__NAMES_FIRST = 16 }; /* buckets before the first growth */

struct cg__names {
    struct cg_wait_signal_op **buckets;
    size_t size;  /* of buckets, a power of two */
    size_t count; /* names */
    uint64_t seed;
    struct cg_signal_op *signallers; /* that wait for recipients, oldest first */
    struct cg_wait_signal_op *embedded[CG__NAMES_FIRST];
};

void cg__names_init(struct cg__names *names, uint64_t seed);
void cg__names_free(struct cg__names *names);

/* Whether it is one of bytes, not an integer or a pointer. */
bool cg__name_has_bytes(struct cg_name name);

/* Prints it as snprintf does. */
int cg__name_print(struct cg_name name, char *buf, size_t size);

bool cg__name_equal(struct cg_name a, struct cg_name b);

/* The first waiter for a name, whose ring has the others in the order of their waiting;
 * NULL: none. */
struct cg_wait_signal_op *cg__names_find(struct cg__names *names, struct cg_name name);

void cg__names_add(struct cg__names *names, struct cg_wait_signal_op *op);
void cg__names_remove(struct cg__names *names, struct cg_wait_signal_op *op);

/* Takes out the one who has waited longest for a name; NULL: nobody waits. *more: others are
 * left. */
struct cg_wait_signal_op *cg__names_take(struct cg__names *names, struct cg_name name,
                                         bool *more);

#endif
