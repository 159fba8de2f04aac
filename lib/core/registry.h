/* SPDX-License-Identifier: MIT */
/* All schedulers of the process: for signal handlers, and for debuggers. See registry.c. */
#ifndef COGEN_LIB_CORE_REGISTRY_H
#define COGEN_LIB_CORE_REGISTRY_H

#include <stdatomic.h>
#include <stdint.h>

struct cg_sched;

/* A place in the list; they are never freed, but used again. */
struct cg__registry_entry {
    struct cg__registry_entry *next;
    _Atomic(struct cg_sched *) sched; /* NULL: the place is free */
    atomic_bool leaving;              /* the scheduler is being removed: nobody visits it */
    _Atomic uint64_t inside; /* how many threads visit it; above that number is the fork count
                              * of the process that counted them */
};

/* Adds a scheduler. Returns 0 or -ENOMEM. */
int cg__registry_add(struct cg_sched *sched);

/* Removes it, if it is there, and waits until nobody in cg__registry_each visits it. */
void cg__registry_remove(struct cg_sched *sched);

/* Calls fn(arg, scheduler) for every scheduler, which stays valid meanwhile. From any thread or
 * signal handler, if fn may be called there; fn must not wait. */
void cg__registry_each(void (*fn)(void *arg, struct cg_sched *sched), void *arg);

#endif
