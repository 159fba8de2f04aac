/* SPDX-License-Identifier: MIT */
/* A list of places, which signal handlers may walk at any time: it has no lock, and places
 * are only ever added. */
#include "config.h"

#include "lib/core/registry.h"

#include "lib/base/fork.h"

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

/* Has external linkage so that debuggers find it by its name. */
_Atomic(struct cg__registry_entry *) cg__registry_first;

/* How many threads are in cg__registry_each; above that number is the fork count of the
 * process that counted them. Threads of a parent will never leave in a child. */
static _Atomic uint64_t inside;

static uint64_t of_this_process(uint64_t counted)
{
    return counted >> 32 == cg__fork_count() ? counted : (uint64_t)cg__fork_count() << 32;
}

static void enter(void)
{
    uint64_t before = atomic_load(&inside);

    while (!atomic_compare_exchange_weak(&inside, &before, of_this_process(before) + 1))
        continue;
}

static void leave(void)
{
    uint64_t before = atomic_load(&inside);

    while (before >> 32 == cg__fork_count() && (uint32_t)before > 0 &&
           !atomic_compare_exchange_weak(&inside, &before, before - 1))
        continue;
}

int cg__registry_add(struct cg_sched *sched)
{
    struct cg__registry_entry *entry = atomic_load(&cg__registry_first);

    for (; entry; entry = entry->next) {
        struct cg_sched *none = NULL;

        if (atomic_compare_exchange_strong(&entry->sched, &none, sched))
            return 0;
    }
    if ((entry = malloc(sizeof *entry)) == NULL)
        return -ENOMEM;
    atomic_init(&entry->sched, sched);
    entry->next = atomic_load(&cg__registry_first);
    while (!atomic_compare_exchange_weak(&cg__registry_first, &entry->next, entry))
        continue;
    return 0;
}

void cg__registry_remove(struct cg_sched *sched)
{
    struct cg__registry_entry *entry = atomic_load(&cg__registry_first);

    while (entry && atomic_load(&entry->sched) != sched)
        entry = entry->next;
    if (entry)
        atomic_store(&entry->sched, NULL);
    while ((uint32_t)of_this_process(atomic_load(&inside)) > 0)
        sched_yield();
}

void cg__registry_each(void (*fn)(void *arg, struct cg_sched *sched), void *arg)
{
    struct cg__registry_entry *entry;

    enter();
    for (entry = atomic_load(&cg__registry_first); entry; entry = entry->next) {
        struct cg_sched *sched = atomic_load(&entry->sched);

        if (sched)
            fn(arg, sched);
    }
    leave();
}
