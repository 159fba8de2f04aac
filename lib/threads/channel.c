/* SPDX-License-Identifier: MIT */
/* Channels: the lines of seats, the ring of items, and the functions that any thread may
 * call. See channel.h. */
#include "config.h"

#include "lib/threads/channel.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The header's macro, which only checks, calls this function. */
#undef cg_channel_try_receive

void cg__channel_stand(struct cg__seat *seat, enum cg__want want, bool first)
{
    struct cg__line *line = &seat->channel->line[want];
    struct cg__place *place = &seat->place[want];

    if (place->taken)
        return;
    place->taken = true;
    place->prev = first ? NULL : line->last;
    place->next = first ? line->first : NULL;
    *(place->prev ? &place->prev->place[want].next : &line->first) = seat;
    *(place->next ? &place->next->place[want].prev : &line->last) = seat;
}

void cg__channel_step_out(struct cg__seat *seat, enum cg__want want)
{
    struct cg__line *line = &seat->channel->line[want];
    struct cg__place *place = &seat->place[want];

    if (!place->taken)
        return;
    place->taken = false;
    *(place->prev ? &place->prev->place[want].next : &line->first) = place->next;
    *(place->next ? &place->next->place[want].prev : &line->last) = place->prev;
}

struct cg__seat *cg__channel_notify(struct cg_channel *channel, enum cg__want want)
{
    struct cg__seat *seat = channel->line[want].first;

    if (seat == NULL)
        return NULL;
    cg__channel_step_out(seat, want);
    if (seat->notified)
        return NULL;
    seat->notified = true;
    cg__post_enter(seat->sched);
    return seat;
}

void cg__channel_post(struct cg__seat *seat)
{
    struct cg_sched *sched;

    if (seat == NULL)
        return;
    sched = seat->sched;
    cg__post(sched, &seat->post);
    cg__post_leave(sched);
}

int cg__channel_push(struct cg_channel *channel, const void *item, struct cg__seat **other)
{
    size_t at = channel->head + channel->count;

    *other = NULL;
    if (channel->closed)
        return -EPIPE;
    if (channel->count == channel->limit)
        return -EAGAIN;
    channel->ring[at < channel->limit ? at : at - channel->limit] = item;
    channel->count++;
    *other = cg__channel_notify(channel, CG__ITEMS);
    return 0;
}

ssize_t cg__channel_pop(struct cg_channel *channel, void *items, size_t n, struct cg__seat **other)
{
    *other = NULL;
    if (channel->count == 0)
        return channel->closed ? CG_EOF : -EAGAIN;
    if (n > channel->count)
        n = channel->count;
    for (size_t i = 0; i < n; i++) {
        memcpy((char *)items + i * sizeof(void *), &channel->ring[channel->head], sizeof(void *));
        if (++channel->head == channel->limit)
            channel->head = 0;
    }
    channel->count -= n;
    *other = cg__channel_notify(channel, CG__ROOM);
    return (ssize_t)n;
}

int cg_channel_try_send(struct cg_channel *channel, const void *item)
{
    struct cg__seat *other;
    int rc;

    pthread_mutex_lock(&channel->lock);
    rc = cg__channel_push(channel, item, &other);
    pthread_mutex_unlock(&channel->lock);
    cg__channel_post(other);
    return rc;
}

int cg_channel_try_receive(struct cg_channel *channel, void *item)
{
    struct cg__seat *other;
    ssize_t n;

    pthread_mutex_lock(&channel->lock);
    n = cg__channel_pop(channel, item, 1, &other);
    pthread_mutex_unlock(&channel->lock);
    cg__channel_post(other);
    return n > 0 ? 0 : (int)n;
}

/* Notifies every seat in a line. A seat may be freed as soon as it is posted. */
void cg_channel_close(struct cg_channel *channel)
{
    struct cg__seat *seat, *told = NULL;

    pthread_mutex_lock(&channel->lock);
    channel->closed = true;
    for (enum cg__want want = CG__ITEMS; want <= CG__ROOM; want++) {
        while (channel->line[want].first) {
            if ((seat = cg__channel_notify(channel, want))) {
                seat->told = told;
                told = seat;
            }
        }
    }
    pthread_mutex_unlock(&channel->lock);
    while ((seat = told)) {
        told = seat->told;
        cg__channel_post(seat);
    }
}

size_t cg_channel_size(struct cg_channel *channel)
{
    size_t count;

    pthread_mutex_lock(&channel->lock);
    count = channel->count;
    pthread_mutex_unlock(&channel->lock);
    return count;
}

bool cg__channel_is_abandoned(struct cg_channel *channel)
{
    size_t n = 0;
    bool abandoned;

    pthread_mutex_lock(&channel->lock);
    for (const struct cg__seat *seat = channel->seats; seat; seat = seat->next)
        n++;
    abandoned = atomic_load(&channel->refs) == n;
    pthread_mutex_unlock(&channel->lock);
    return abandoned;
}

struct cg_channel *cg_channel_new_with(const struct cg_channel_options *options)
{
    static const struct cg_channel_options none;
    struct cg_channel *channel = NULL;
    size_t limit;

    if (options == NULL)
        options = &none;
    limit = options->limit ? options->limit : CG_CHANNEL_LIMIT;
    if (limit <= (SIZE_MAX - sizeof *channel) / sizeof channel->ring[0])
        channel = calloc(1, sizeof *channel + limit * sizeof channel->ring[0]);
    if (channel == NULL)
        return NULL;
    pthread_mutex_init(&channel->lock, NULL);
    channel->limit = limit;
    channel->drop = options->drop;
    channel->name = options->name ? options->name : "channel";
    atomic_init(&channel->refs, 1);
    return channel;
}

struct cg_channel *cg_channel_ref(struct cg_channel *channel)
{
    atomic_fetch_add(&channel->refs, 1);
    return channel;
}

void cg_channel_unref(struct cg_channel *channel)
{
    struct cg__seat *none;
    void *item;

    if (channel == NULL || atomic_fetch_sub(&channel->refs, 1) > 1)
        return;
    while (channel->drop && cg__channel_pop(channel, &item, 1, &none) > 0)
        channel->drop(item);
    pthread_mutex_destroy(&channel->lock);
    free(channel);
}
