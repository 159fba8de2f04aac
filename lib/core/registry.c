/* SPDX-License-Identifier: MIT */
/* A list of places, which signal handlers may walk at any time: it has no lock, and places
 * are only ever added. */
#include "config.h"

#include "lib/core/registry.h"

#include "lib/base/fork.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>

/* Has external linkage so that debuggers find it by its name. */
_Atomic(struct cg__registry_entry *) cg__registry_first;

/* Threads of a parent will never leave in a child, so they do not count there. */
static uint64_t of_this_process(uint64_t counted)
{
    return counted >> 32 == cg__fork_count() ? counted : (uint64_t)cg__fork_count() << 32;
}

static void enter(struct cg__registry_entry *entry)
{
    uint64_t before = atomic_load(&entry->inside);

    while (!atomic_compare_exchange_weak(&entry->inside, &before, of_this_process(before) + 1))
        continue;
}

static void leave(struct cg__registry_entry *entry)
{
    uint64_t before = atomic_load(&entry->inside);

    while (before >> 32 == cg__fork_count() && (uint32_t)before > 0 &&
           !atomic_compare_exchange_weak(&entry->inside, &before, before - 1))
        continue;
}

static bool is_visited(struct cg__registry_entry *entry)
{
    return (uint32_t)of_this_process(atomic_load(&entry->inside)) > 0;
}

int cg__registry_add(struct cg_sched *sched)
{
    struct cg__registry_entry *entry = atomic_load(&cg__registry_first);

    for (; entry; entry = entry->next) {
        struct cg_sched *none = NULL;

        if (atomic_compare_exchange_strong(&entry->sched, &none, sched)) {
            atomic_store(&entry->leaving, false);
            return 0;
        }
    }
    if ((entry = calloc(1, sizeof *entry)) == NULL)
        return -ENOMEM;
    atomic_init(&entry->sched, sched);
    entry->next = atomic_load(&cg__registry_first);
    while (!atomic_compare_exchange_weak(&cg__registry_first, &entry->next, entry))
        continue;
    return 0;
}

/* Who comes after `leaving` was set only looks at that, so that others who come again and
 * again cannot make this wait. */
void cg__registry_remove(struct cg_sched *sched)
{
    struct cg__registry_entry *entry = atomic_load(&cg__registry_first);

    while (entry && atomic_load(&entry->sched) != sched)
        entry = entry->next;
    if (entry == NULL)
        return;
    atomic_store(&entry->leaving, true);
    while (is_visited(entry))
        sched_yield();
    atomic_store(&entry->sched, NULL);
}

void cg__registry_each(void (*fn)(void *arg, struct cg_sched *sched), void *arg)
{
    struct cg__registry_entry *entry;

    for (entry = atomic_load(&cg__registry_first); entry; entry = entry->next) {
        struct cg_sched *sched;

        enter(entry);
        /* In this order: by the next look a removed scheduler may be freed, and its place used
         * again. */
        sched = atomic_load(&entry->leaving) ? NULL : atomic_load(&entry->sched);
        if (sched)
            fn(arg, sched);
        leave(entry);
    }
}
