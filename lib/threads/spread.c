/* SPDX-License-Identifier: MIT */
/* Chooses the worker for a new connection: see spread.h. */
#include "config.h"

#include "lib/threads/spread.h"

#include <stdlib.h>
#include <string.h>

static struct cg__service *make(struct cg__crew *crew, const char *name)
{
    size_t size = sizeof(struct cg__service) + crew->count * sizeof(struct cg_spread);
    struct cg__service *service = aligned_alloc(_Alignof(struct cg_spread), size);

    if (service == NULL)
        return NULL;
    memset(service, 0, size);
    service->name = strdup(name);
    if (service->name == NULL) {
        free(service);
        return NULL;
    }
    service->count = crew->count;
    for (unsigned k = 0; k < crew->count; k++) {
        service->seats[k].worker = &crew->workers[k];
        service->seats[k].service = service;
    }
    service->next = crew->services;
    crew->services = service;
    return service;
}

struct cg__service *cg__spread_find(struct cg__crew *crew, const char *name)
{
    struct cg__service *service;

    pthread_mutex_lock(&crew->lock);
    service = crew->services;
    while (service != NULL && strcmp(service->name, name) != 0)
        service = service->next;
    if (service == NULL)
        service = make(crew, name);
    pthread_mutex_unlock(&crew->lock);
    return service;
}

/* The counters change while they are read: another worker may choose the same seat. */
static struct cg_spread *choose(struct cg_spread *own)
{
    struct cg__service *service = own->service;
    struct cg_spread *best = own;
    unsigned least = atomic_load(&best->load);

    for (unsigned k = 0; k < service->count && least > 0; k++) {
        struct cg_spread *seat = &service->seats[k];
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
struct cg_spread *cg__spread_take(struct cg_spread *own)
{
    struct cg_spread *seat = choose(own);

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
    struct cg__service *next;

    for (struct cg__service *service = crew->services; service != NULL; service = next) {
        next = service->next;
        free(service->name);
        free(service);
    }
}
