/* SPDX-License-Identifier: MIT */
/* Chooses the worker for a new connection: see spread.h. */
#include "config.h"

#include "lib/threads/spread.h"

#include <stdlib.h>
#include <string.h>

static struct cg__spread *make(struct cg__crew *crew, const char *name)
{
    size_t size = sizeof(struct cg__spread) + crew->count * sizeof(struct cg__seat);
    struct cg__spread *spread = aligned_alloc(_Alignof(struct cg__seat), size);

    if (spread == NULL)
        return NULL;
    memset(spread, 0, size);
    spread->name = strdup(name);
    if (spread->name == NULL) {
        free(spread);
        return NULL;
    }
    spread->count = crew->count;
    for (unsigned k = 0; k < crew->count; k++)
        spread->seats[k].worker = &crew->workers[k];
    spread->next = crew->spreads;
    crew->spreads = spread;
    return spread;
}

struct cg__spread *cg__spread_find(struct cg__crew *crew, const char *name)
{
    struct cg__spread *spread;

    pthread_mutex_lock(&crew->lock);
    spread = crew->spreads;
    while (spread != NULL && strcmp(spread->name, name) != 0)
        spread = spread->next;
    if (spread == NULL)
        spread = make(crew, name);
    pthread_mutex_unlock(&crew->lock);
    return spread;
}

/* The counters change while they are read: another worker may choose the same seat. */
static struct cg__seat *choose(struct cg__spread *spread, unsigned self)
{
    struct cg__seat *best = &spread->seats[self];
    unsigned least = atomic_load(&best->load);

    for (unsigned k = 0; k < spread->count && least > 0; k++) {
        struct cg__seat *seat = &spread->seats[k];
        unsigned load = atomic_load(&seat->load);

        if (load < least && atomic_load(&seat->open)) {
            best = seat;
            least = load;
        }
    }
    return best;
}

/* A worker that stops taking connections closes its seat and then waits until none is
 * coming, so `coming` is counted before the seat is looked at again. */
struct cg__seat *cg__spread_take(struct cg__spread *spread, unsigned self)
{
    struct cg__seat *seat = choose(spread, self), *own = &spread->seats[self];

    if (seat != own) {
        atomic_fetch_add(&seat->coming, 1);
        if (!atomic_load(&seat->open)) {
            atomic_fetch_sub(&seat->coming, 1);
            seat = own;
        }
    }
    atomic_fetch_add(&seat->load, 1);
    return seat;
}

void cg__spread_free_all(struct cg__crew *crew)
{
    struct cg__spread *next;

    for (struct cg__spread *spread = crew->spreads; spread != NULL; spread = next) {
        next = spread->next;
        free(spread->name);
        free(spread);
    }
}
