/* SPDX-License-Identifier: MIT */
/* What a scheduler has given away and waits for: jobs in threads, errands to other
 * schedulers. Each is in a list of its home, and holds the run open. */
#ifndef COGEN_LIB_THREADS_AWAY_H
#define COGEN_LIB_THREADS_AWAY_H

#include <stddef.h>

#include "lib/core/sched.h"

/* A member of whatever is given away. A copy may stand for it in cg__away_remove. */
struct cg__away {
    struct cg__away *next, **link;
};

struct cg__away_list {
    struct cg__part part;
    struct cg__away *first;
};

/* Finds a scheduler's list, and makes it when it is first needed; `part` has the functions
 * other than free. Returns NULL if there is no memory. */
struct cg__away_list *cg__away_list(struct cg_sched *sched, enum cg__part_place place,
                                    const struct cg__part *part);

void cg__away_add(struct cg__away_list *list, struct cg__away *away, struct cg_sched *home);
void cg__away_remove(struct cg__away *away, struct cg_sched *home);

/* The struct around a member `away`; NULL for NULL. */
#define CG__AWAY_OF(type, member)                                                        \
    ((type *)cg__away_around((member), offsetof(type, away)))

static inline void *cg__away_around(const struct cg__away *member, size_t offset)
{
    return member ? (char *)member - offset : NULL;
}

#endif
