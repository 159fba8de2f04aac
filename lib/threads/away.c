/* SPDX-License-Identifier: MIT */
/* See away.h. */
#include "config.h"

#include <stdlib.h>

#include "lib/threads/away.h"

static void free_part(struct cg__part *part)
{
    free(part);
}

struct cg__away_list *cg__away_list(struct cg_sched *sched, enum cg__part_place place,
                                    const struct cg__part *part)
{
    struct cg__away_list *list = (struct cg__away_list *)sched->parts[place];

    if (list == NULL && (list = malloc(sizeof *list)) != NULL) {
        *list = (struct cg__away_list){.part = *part};
        list->part.free = free_part;
        sched->parts[place] = &list->part;
    }
    return list;
}

void cg__away_add(struct cg__away_list *list, struct cg__away *away, struct cg_sched *home)
{
    away->next = list->first;
    if (away->next)
        away->next->link = &away->next;
    away->link = &list->first;
    list->first = away;
    cg_sched_hold(home);
}

void cg__away_remove(struct cg__away *away, struct cg_sched *home)
{
    *away->link = away->next;
    if (away->next)
        away->next->link = away->link;
    cg_sched_unhold(home);
}
