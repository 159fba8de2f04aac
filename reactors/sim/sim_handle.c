/* SPDX-License-Identifier: MIT */
/* Handles of the simulated world. They are numbered as descriptors are, the lowest place that
 * was freed last first. A handle that is closed is freed when it is served again, because its
 * requests may just be being served. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "reactors/sim/sim.h"

void cg__sim_touch_handle(struct cg_sim_handle *handle)
{
    struct cg_sim_handles *queue = &handle->host->touched;

    if (handle->touched || (!handle->ios && !handle->closed))
        return;
    handle->touched = true;
    handle->next_touched = NULL;
    if (queue->head)
        queue->tail->next_touched = handle;
    else
        queue->head = handle;
    queue->tail = handle;
}

void cg__sim_touch(struct cg_sim_sock *sock)
{
    for (struct cg_sim_handle *handle = sock->handles; handle; handle = handle->next)
        cg__sim_touch_handle(handle);
}

bool cg__sim_handle_fits(const struct cg_sim *sim, unsigned more)
{
    return !sim->opt.handles ||
           sim->handle_count - sim->hole_count + more <= sim->opt.handles;
}

/* Makes room for another number. */
static bool grow(struct cg_sim *sim)
{
    size_t room = sim->handle_room ? 2 * sim->handle_room : 64;
    struct cg_sim_handle **handles;
    int *holes;

    if (sim->hole_count > 0 || sim->handle_count < sim->handle_room)
        return true;
    if (!(handles = realloc(sim->handles, room * sizeof(struct cg_sim_handle *))))
        return false;
    sim->handles = handles;
    if (!(holes = realloc(sim->holes, room * sizeof(int))))
        return false;
    sim->holes = holes;
    sim->handle_room = room;
    return true;
}

static void locate(struct cg_sim_sock *sock, struct cg_sim_host *host)
{
    sock->host = host;
    if (sock->peer)
        sock->peer->far = host->number;
}

/* The first handle of a socket says where it is in the network. */
static void settle(struct cg_sim_sock *sock)
{
    sock->fd = sock->handles->fd;
    locate(sock, sock->handles->host);
}

int cg__sim_handle_new(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_host *host)
{
    return cg__sim_handle_fits(sim, 1) ? cg__sim_handle_add(sim, sock, host) : -EMFILE;
}

int cg__sim_handle_add(struct cg_sim *sim, struct cg_sim_sock *sock, struct cg_sim_host *host)
{
    struct cg_sim_handle *handle, **last = &sock->handles;
    size_t place;

    if (!grow(sim) || !(handle = sock->spare ? sock->spare : malloc(sizeof *handle)))
        return -ENOMEM;
    sock->spare = NULL;
    place = sim->hole_count > 0 ? (size_t)sim->holes[--sim->hole_count] : sim->handle_count++;
    sim->handles[place] = handle;
    *handle = (struct cg_sim_handle){
        .fd = CG_SIM_HANDLE + (int)place, .sock = sock, .host = host};
    while (*last)
        last = &(*last)->next;
    *last = handle;
    settle(sock);
    return handle->fd;
}

struct cg_sim_handle *cg__sim_handle(struct cg_sim *sim, int fd)
{
    size_t place = (size_t)fd - CG_SIM_HANDLE;

    return fd >= CG_SIM_HANDLE && place < sim->handle_count ? sim->handles[place] : NULL;
}

struct cg_sim_sock *cg__sim_find(struct cg_sim *sim, int fd)
{
    struct cg_sim_handle *handle = cg__sim_handle(sim, fd);

    return handle ? handle->sock : NULL;
}

void cg__sim_handle_move(struct cg_sim_handle *handle, struct cg_sim_host *host)
{
    struct cg_sim_sock *sock = handle->sock;

    handle->host = host;
    settle(sock);
    for (struct cg_sim_sock *other = sock->backlog.head; other; other = other->next)
        locate(other, sock->host);
}

void cg__sim_feed(struct cg_sim *sim)
{
    for (size_t i = 0; i < sim->handle_count; i++)
        if (sim->handles[i] && sim->handles[i]->sock->backlog.head)
            cg__sim_touch_handle(sim->handles[i]);
}

void cg__sim_handle_close(struct cg_sim *sim, struct cg_sim_handle *handle)
{
    struct cg_sim_sock *sock = handle->sock;
    struct cg_sim_handle **at = &sock->handles;
    int place = handle->fd - CG_SIM_HANDLE;

    assert(!handle->ios); /* the owner cancels its requests before it closes */
    while (*at != handle)
        at = &(*at)->next;
    *at = handle->next;
    sim->handles[place] = NULL;
    sim->holes[sim->hole_count++] = place;
    handle->closed = true;
    handle->sock = NULL;
    cg__sim_touch_handle(handle);
    if (sock->handles)
        settle(sock);
    else
        cg__sim_close(sim, sock);
    if (sim->starved)
        cg__sim_feed(sim);
    sim->starved = false;
}
