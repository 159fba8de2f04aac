/* SPDX-License-Identifier: MIT */
/* Operations on channels, and the seats at which they wait. See channel.h. */
#include "config.h"

#include "lib/core/op.h"
#include "lib/threads/channel.h"
#include "lib/vocabulary/waiters.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

_Static_assert(sizeof(struct cg_receive_op) <= 136, "as small as may be");

/* The seats of a scheduler. */
struct part {
    struct cg__part part;
    struct cg__seat *first;
};

static void run_post(struct cg__post *post, bool dropped);
static void part_drop(struct cg__part *part, struct cg_sched *sched);
static void part_free(struct cg__part *part);

static struct part *part_of(struct cg_sched *sched)
{
    struct part *part = (struct part *)sched->parts[CG__PART_CHANNELS];

    if (part == NULL && (part = malloc(sizeof *part))) {
        *part = (struct part){.part = {.drop = part_drop, .free = part_free}};
        sched->parts[CG__PART_CHANNELS] = &part->part;
    }
    return part;
}

/* The scheduler's seat at a channel, or NULL. The caller holds the lock. */
static struct cg__seat *find(struct cg_channel *channel, const struct cg_sched *sched)
{
    struct cg__seat *seat = channel->seats;

    while (seat && seat->sched != sched)
        seat = seat->next;
    return seat;
}

/* Makes a seat, which the channel does not know yet. NULL: no memory. */
static struct cg__seat *new_seat(struct cg_channel *channel, struct cg_sched *sched)
{
    struct part *part = part_of(sched);
    struct cg__seat *seat = part ? malloc(sizeof *seat) : NULL;

    if (seat == NULL)
        return NULL;
    *seat = (struct cg__seat){
        .post.run = run_post, .channel = cg_channel_ref(channel), .sched = sched};
    seat->next_mine = part->first;
    if (seat->next_mine)
        seat->next_mine->link_mine = &seat->next_mine;
    seat->link_mine = &part->first;
    part->first = seat;
    return seat;
}

static void add_seat(struct cg__seat *seat)
{
    struct cg_channel *channel = seat->channel;

    seat->next = channel->seats;
    if (seat->next)
        seat->next->link = &seat->next;
    seat->link = &channel->seats;
    channel->seats = seat;
}

static void remove_seat(struct cg__seat *seat)
{
    cg__channel_step_out(seat, CG__ITEMS);
    cg__channel_step_out(seat, CG__ROOM);
    *seat->link = seat->next;
    if (seat->next)
        seat->next->link = seat->link;
}

/* Frees a seat that the channel does not know any more. */
static void free_seat(struct cg__seat *seat)
{
    *seat->link_mine = seat->next_mine;
    if (seat->next_mine)
        seat->next_mine->link_mine = seat->link_mine;
    cg_channel_unref(seat->channel);
    free(seat);
}

static bool empty(const struct cg__seat *seat)
{
    return seat->waiters[CG__ITEMS].first == NULL && seat->waiters[CG__ROOM].first == NULL;
}

/* Notifies other seats of the items and the room that a seat leaves when it is done or
 * freed. */
static void pass_on(struct cg_channel *channel, struct cg__seat *others[CG__WANTS])
{
    others[CG__ITEMS] = channel->count > 0 ? cg__channel_notify(channel, CG__ITEMS) : NULL;
    others[CG__ROOM] =
        channel->count < channel->limit ? cg__channel_notify(channel, CG__ROOM) : NULL;
}

static void post_to_all(struct cg__seat *others[CG__WANTS])
{
    cg__channel_post(others[CG__ITEMS]);
    cg__channel_post(others[CG__ROOM]);
}

/* Called when a seat's waiters have changed, or it was notified: notifies other seats of
 * what it leaves, and frees it if no op waits at it and no post is on its way. */
static void settle(struct cg__seat *seat)
{
    struct cg_channel *channel = seat->channel;
    struct cg__seat *others[CG__WANTS];
    bool ends;

    pthread_mutex_lock(&channel->lock);
    for (enum cg__want want = CG__ITEMS; want <= CG__ROOM; want++)
        if (seat->waiters[want].first == NULL)
            cg__channel_step_out(seat, want);
    pass_on(channel, others);
    ends = empty(seat) && !seat->notified && !seat->serving;
    if (ends)
        remove_seat(seat);
    pthread_mutex_unlock(&channel->lock);
    post_to_all(others);
    if (ends)
        free_seat(seat);
}

/* Makes one attempt at an op. Returns its result, or -EAGAIN. The caller holds the
 * lock. */
static ssize_t attempt(struct cg_op *op, enum cg__want want, struct cg__seat **other)
{
    struct cg_receive_op *receive = (struct cg_receive_op *)op;
    struct cg_send_op *send = (struct cg_send_op *)op;

    if (want == CG__ROOM)
        return cg__channel_push(send->channel, send->item, other);
    return cg__channel_pop(receive->channel, receive->items, receive->most, other);
}

static ssize_t result_of(const struct cg_op *op, ssize_t n)
{
    return n > 0 && op->type == &cg_receive_type ? 0 : n;
}

/* Serves one waiter of a notified seat. False: there is no waiter, or no item or room for
 * it. */
static bool serve_one(struct cg__seat *seat, enum cg__want want)
{
    struct cg_channel *channel = seat->channel;
    struct cg_wait *wait = seat->waiters[want].first;
    struct cg__seat *other;
    struct cg_op *op;
    ssize_t n;

    if (wait == NULL)
        return false;
    op = (struct cg_op *)((char *)wait - offsetof(struct cg__wait_op, wait));
    pthread_mutex_lock(&channel->lock);
    n = attempt(op, want, &other);
    if (n == -EAGAIN)
        cg__channel_stand(seat, want, true);
    pthread_mutex_unlock(&channel->lock);
    cg__channel_post(other);
    if (n == -EAGAIN)
        return false;
    cg__waiters_remove(&seat->waiters[want], op);
    cg_sched_unhold(seat->sched);
    cg_op_complete(op, result_of(op, n));
    return true;
}

/* Serves both sides in turn, since a receive makes room and a send brings items. */
static void serve(struct cg__seat *seat)
{
    bool items, room;

    do {
        items = serve_one(seat, CG__ITEMS);
        room = serve_one(seat, CG__ROOM);
    } while (items || room);
}

static void run_post(struct cg__post *post, bool dropped)
{
    struct cg__seat *seat = (struct cg__seat *)post, *others[CG__WANTS];
    struct cg_channel *channel = seat->channel;

    pthread_mutex_lock(&channel->lock);
    seat->notified = false;
    if (dropped)
        pass_on(channel, others);
    pthread_mutex_unlock(&channel->lock);
    if (dropped) {
        post_to_all(others);
        return;
    }
    seat->serving = true;
    serve(seat);
    seat->serving = false;
    settle(seat);
}

/* Makes a seat for the first coroutine of a scheduler that waits. When the channel knows
 * the seat, the attempt is made again, because an item may have come in between. */
static ssize_t take_seat(struct cg_op *op, enum cg__want want, struct cg__seat *seat)
{
    struct cg_channel *channel = seat->channel;
    struct cg__seat *other;
    ssize_t n;

    pthread_mutex_lock(&channel->lock);
    add_seat(seat);
    n = attempt(op, want, &other);
    if (n == -EAGAIN)
        cg__channel_stand(seat, want, false);
    pthread_mutex_unlock(&channel->lock);
    cg__channel_post(other);
    if (n != -EAGAIN)
        settle(seat);
    return n;
}

/* An op makes no attempt if other coroutines of the scheduler already wait: they go
 * first. */
static enum cg_verdict process(struct cg_op *op, struct cg_sched *sched,
                               struct cg_channel *channel, enum cg__want want,
                               struct cg__seat **where)
{
    struct cg__seat *seat, *other = NULL;
    ssize_t n = -EAGAIN;

    pthread_mutex_lock(&channel->lock);
    seat = find(channel, sched);
    if (seat == NULL || seat->waiters[want].first == NULL)
        n = attempt(op, want, &other);
    if (n == -EAGAIN && seat && seat->waiters[want].first == NULL)
        cg__channel_stand(seat, want, false);
    pthread_mutex_unlock(&channel->lock);
    cg__channel_post(other);
    if (n == -EAGAIN && seat == NULL) {
        if ((seat = new_seat(channel, sched)) == NULL)
            return cg__op_done(op, -ENOMEM);
        n = take_seat(op, want, seat);
    }
    if (n != -EAGAIN)
        return cg__op_done(op, result_of(op, n));
    cg__waiters_add(&seat->waiters[want], op);
    cg_sched_hold(sched);
    *where = seat;
    return CG_PENDING;
}

static enum cg_verdict cancel(struct cg_op *op, struct cg__seat *seat, enum cg__want want)
{
    cg__waiters_remove(&seat->waiters[want], op);
    cg_sched_unhold(seat->sched);
    settle(seat);
    return CG_DONE;
}

/* An op that has completed must not read its channel, which may have been freed. */
static int print(const struct cg_op *op, struct cg_channel *channel, char *buf, size_t size)
{
    if (op->state <= CG_OP_UNHEARD)
        return snprintf(buf, size, "channel");
    return snprintf(buf, size, "%s, %zu/%zu", channel->name, cg_channel_size(channel),
                    channel->limit);
}

static enum cg_verdict send_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_send_op *send = (struct cg_send_op *)op;

    return process(op, sched, send->channel, CG__ROOM, &send->seat);
}

static enum cg_verdict send_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    return cancel(op, ((struct cg_send_op *)op)->seat, CG__ROOM);
}

static int send_print(const struct cg_op *op, char *buf, size_t size)
{
    return print(op, ((const struct cg_send_op *)op)->channel, buf, size);
}

static enum cg_verdict receive_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_receive_op *receive = (struct cg_receive_op *)op;

    if (receive->most == 0)
        return cg__op_done(op, -EINVAL);
    return process(op, sched, receive->channel, CG__ITEMS, &receive->seat);
}

static enum cg_verdict receive_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    return cancel(op, ((struct cg_receive_op *)op)->seat, CG__ITEMS);
}

static int receive_print(const struct cg_op *op, char *buf, size_t size)
{
    return print(op, ((const struct cg_receive_op *)op)->channel, buf, size);
}

const struct cg_op_type cg_send_type = {
    .name = "send",
    .flags = CG_OP_DEFAULT_TIMEOUT | CG_OP_LOCAL,
    .process = send_process,
    .cancel = send_cancel,
    .print = send_print,
};

const struct cg_op_type cg_receive_type = {
    .name = "receive",
    .flags = CG_OP_DEFAULT_TIMEOUT | CG_OP_LOCAL,
    .process = receive_process,
    .cancel = receive_cancel,
    .print = receive_print,
};

const struct cg_op_type cg_receive_many_type = {
    .name = "receive_many",
    .flags = CG_OP_DEFAULT_TIMEOUT | CG_OP_LOCAL,
    .process = receive_process,
    .cancel = receive_cancel,
    .print = receive_print,
};

/* Called when the scheduler is freed. From now on its seats are not notified; posts that
 * are on their way are dropped next. */
static void part_drop(struct cg__part *part, struct cg_sched *sched)
{
    (void)sched;
    for (struct cg__seat *seat = ((struct part *)part)->first; seat; seat = seat->next_mine) {
        pthread_mutex_lock(&seat->channel->lock);
        cg__channel_step_out(seat, CG__ITEMS);
        cg__channel_step_out(seat, CG__ROOM);
        pthread_mutex_unlock(&seat->channel->lock);
    }
}

static void part_free(struct cg__part *part)
{
    struct cg__seat *seat;

    while ((seat = ((struct part *)part)->first)) {
        pthread_mutex_lock(&seat->channel->lock);
        remove_seat(seat);
        pthread_mutex_unlock(&seat->channel->lock);
        free_seat(seat);
    }
    free(part);
}
