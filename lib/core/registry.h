/* SPDX-License-Identifier: MIT */
/* All schedulers of the process: for signal handlers, and for debuggers. See registry.c. */
#ifndef COGEN_LIB_CORE_REGISTRY_H
#define COGEN_LIB_CORE_REGISTRY_H

struct cg_sched;

/* A place in the list; they are never freed, but used again. */
struct cg__registry_entry {
    struct cg__registry_entry *next;
    _Atomic(struct cg_sched *) sched; /* NULL: the place is free */
};

/* Adds a scheduler. Returns 0 or -ENOMEM. */
int cg__registry_add(struct cg_sched *sched);

/* Removes it, if it is there, and waits until nobody is in cg__registry_each. */
void cg__registry_remove(struct cg_sched *sched);

/* Calls fn(arg, scheduler) for every scheduler, which stays valid meanwhile. From any thread or
 * signal handler, if fn may be called there; fn must not wait. */
void cg__registry_each(void (*fn)(void *arg, struct cg_sched *sched), void *arg);

#endif
