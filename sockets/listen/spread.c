/* SPDX-License-Identifier: MIT */
/* Accept loops of several workers that share their connections: cg_serve and those of
 * others. A connection is handed over before anything is read. */
#include "config.h"

#include "lib/threads/spread.h"
#include "sockets/move.h"

#include <cogen/serve.h>

#include <errno.h>

int cg_spread_open(const char *service, cg_handler *fn, void *arg,
                   struct cg_spread **spread)
{
    struct cg_worker *self = cg_worker_self();
    struct cg__service *found;
    struct cg_spread *seat;

    *spread = NULL;
    if (service == NULL || self == NULL)
        return 0;
    found = cg__spread_find(self->crew, service);
    if (found == NULL)
        return -ENOMEM;
    seat = &found->seats[self->number];
    if (atomic_load(&seat->open))
        return -EEXIST;
    seat->fn = fn;
    seat->arg = arg;
    atomic_store(&seat->open, true);
    *spread = seat;
    return 0;
}

/* In the worker that was chosen, in a coroutine of its own. */
static ssize_t arrive(struct cg_sock *conn, void *arg)
{
    struct cg_spread *seat = arg;
    ssize_t n = seat->fn(conn, seat->arg);

    atomic_fetch_sub(&seat->coming, 1);
    return n;
}

/* The connection had to be closed on its way. */
static void lost(void *arg)
{
    struct cg_spread *seat = arg;

    atomic_fetch_sub(&seat->load, 1);
    atomic_fetch_sub(&seat->coming, 1);
}

bool cg_spread_pass(struct cg_spread *spread, struct cg_sock *conn)
{
    struct cg_spread *seat;

    if (spread == NULL)
        return false;
    seat = cg__spread_take(spread);
    if (seat == spread)
        return false;
    if (cg__move_to(conn, seat->worker, arrive, seat, lost) == 0)
        return true;
    lost(seat);
    atomic_fetch_add(&spread->load, 1);
    return false;
}

void cg_spread_leave(struct cg_spread *spread)
{
    if (spread != NULL)
        atomic_fetch_sub(&spread->load, 1);
}

unsigned cg_spread_close(struct cg_spread *spread)
{
    if (spread == NULL)
        return 0;
    atomic_store(&spread->open, false);
    return atomic_load(&spread->coming);
}
