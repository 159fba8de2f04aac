/* SPDX-License-Identifier: MIT */
/* Publish and subscribe: one log of messages, and a cursor for each subscriber. Messages
 * are numbered from the beginning, so that dropping old messages changes no cursor. */
#include "config.h"

#include "lib/vocabulary/waiters.h"

#include <cogen/pubsub.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROOM_MIN = 16
};

struct cg_pubsub {
    void **ring;    /* message i at i % room */
    size_t room;    /* a power of two */
    uint64_t first; /* the oldest that is kept */
    uint64_t end;   /* the next to be published */
    size_t limit;
    bool closed;
    struct cg_object object; /* of those who publish */
    struct cg_subscriber *subscribers;
    struct cg_waiters fetchers, publishers;
    void (*drop)(void *message);
    const char *name;
};

static void **slot(const struct cg_pubsub *pubsub, uint64_t number)
{
    return &pubsub->ring[number & (pubsub->room - 1)];
}

static bool grow(struct cg_pubsub *pubsub)
{
    size_t room = pubsub->room ? 2 * pubsub->room : ROOM_MIN;
    void **ring =
        room > SIZE_MAX / 2 / sizeof *ring ? NULL : malloc(room * sizeof *ring);

    if (ring == NULL)
        return false;
    for (uint64_t i = pubsub->first; i < pubsub->end; i++)
        ring[i & (room - 1)] = *slot(pubsub, i);
    free(pubsub->ring);
    pubsub->ring = ring;
    pubsub->room = room;
    return true;
}

/* The oldest message that a subscriber still uses or has not fetched. */
static uint64_t needed(const struct cg_pubsub *pubsub)
{
    uint64_t number = pubsub->end;

    for (struct cg_subscriber *s = pubsub->subscribers; s; s = s->next)
        if (s->held < number)
            number = s->held;
    return number;
}

static void drop_until(struct cg_pubsub *pubsub, uint64_t number)
{
    while (pubsub->first < number) {
        void *message = *slot(pubsub, pubsub->first);

        pubsub->first++;
        if (pubsub->drop)
            pubsub->drop(message);
    }
}

/* Copies the messages that are new for a subscriber. */
static size_t deliver(struct cg_fetch_op *fetch)
{
    struct cg_subscriber *subscriber = fetch->subscriber;
    size_t n = cg_subscriber_unread(subscriber);

    if (n > fetch->size)
        n = fetch->size;
    for (size_t i = 0; i < n; i++)
        memcpy((char *)fetch->messages + i * sizeof(void *),
               slot(subscriber->pubsub, subscriber->cursor + i), sizeof(void *));
    subscriber->cursor += n;
    return n;
}

static void end_fetch(struct cg_op *op, ssize_t result, const struct cg_op *by)
{
    ((struct cg_fetch_op *)op)->subscriber->fetch = NULL;
    cg__waiters_wake_one(op, result, by);
}

/* The first fetch that waits and races neither with the op that publishes nor with the one
 * that is being processed (NULL: a function calls); NULL: there is none. */
static struct cg_op *take_fetch(struct cg_pubsub *pubsub, const struct cg_op *publisher,
                                const struct cg_op *by)
{
    if (publisher == NULL || pubsub->fetchers.first == NULL)
        return cg__waiters_take(&pubsub->fetchers, by);
    return cg__waiters_take_other(&pubsub->fetchers, publisher, by);
}

/* Publishes for an op (NULL: for a function), while `by` is being processed: the same op, or
 * the one that has made room for it. Returns 0, 1 (a subscriber was woken), -EAGAIN at the
 * limit, -EPIPE or -ENOMEM. */
static int publish_now(struct cg_pubsub *pubsub, const void *message,
                       const struct cg_op *publisher, const struct cg_op *by)
{
    struct cg_op *op;
    int woken = 0;

    if (pubsub->closed)
        return -EPIPE;
    if (pubsub->limit && cg_pubsub_len(pubsub) == pubsub->limit) {
        if (needed(pubsub) == pubsub->first)
            return -EAGAIN;
        drop_until(pubsub, pubsub->first + 1);
    }
    if (cg_pubsub_len(pubsub) == pubsub->room && !grow(pubsub))
        return -ENOMEM;
    *slot(pubsub, pubsub->end++) = (void *)message;
    for (; (op = take_fetch(pubsub, publisher, by)); woken = 1)
        end_fetch(op, deliver((struct cg_fetch_op *)op), by);
    return woken;
}

/* Completes the first publisher that waits at the limit and does not race with `by`, if there
 * is room. */
static bool admit_one(struct cg_pubsub *pubsub, const struct cg_op *by)
{
    struct cg_op *op;

    if (pubsub->publishers.first == NULL ||
        (cg_pubsub_len(pubsub) == pubsub->limit && needed(pubsub) == pubsub->first) ||
        (op = cg__waiters_take(&pubsub->publishers, by)) == NULL)
        return false;
    cg__op_claim(op);
    publish_now(pubsub, ((struct cg_publish_op *)op)->message, op, by);
    cg__waiters_wake_one(op, 0, by);
    return true;
}

static bool admit(struct cg_pubsub *pubsub, const struct cg_op *by)
{
    bool woken = false;

    while (admit_one(pubsub, by))
        woken = true;
    return woken;
}

int cg_pubsub_try_publish(struct cg_pubsub *pubsub, const void *message)
{
    int rc = publish_now(pubsub, message, NULL, NULL);

    return rc > 0 ? 0 : rc;
}

static enum cg_verdict publish_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_publish_op *publish = (struct cg_publish_op *)op;
    struct cg_pubsub *pubsub = publish->pubsub;
    int rc = publish_now(pubsub, publish->message, op, op);

    (void)sched;
    op->uses = &pubsub->object;
    if (rc == -EAGAIN) {
        cg__waiters_add(&pubsub->publishers, op);
        return CG_PENDING;
    }
    return rc > 0 ? cg_op_after_others(op, 0) : cg__op_done(op, rc);
}

static enum cg_verdict publish_cancel(struct cg_op *op, struct cg_sched *sched)
{
    (void)sched;
    cg__waiters_remove(&((struct cg_publish_op *)op)->pubsub->publishers, op);
    return CG_DONE;
}

static void publish_withdraw(struct cg_op *op)
{
    struct cg_publish_op *publish = (struct cg_publish_op *)op;

    if (publish->taken)
        *publish->taken = true;
}

static enum cg_verdict fetch_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_fetch_op *fetch = (struct cg_fetch_op *)op;
    struct cg_subscriber *subscriber = fetch->subscriber;
    struct cg_pubsub *pubsub = subscriber->pubsub;
    bool woken;
    size_t n;

    (void)sched;
    if (pubsub == NULL)
        return cg__op_done(op, -EBADF);
    op->uses = &subscriber->object;
    if (subscriber->fetch)
        return cg__op_done(op, -EBUSY);
    if (fetch->size == 0)
        return cg__op_done(op, -EINVAL);
    subscriber->held = subscriber->cursor;
    woken = admit(pubsub, op);
    if ((n = deliver(fetch)))
        return woken ? cg_op_after_others(op, n) : cg__op_done(op, n);
    if (pubsub->closed)
        return cg__op_done(op, CG_EOF);
    /* Any publisher that still waits races with this fetch, which may have made room for it:
     * then it wins the race, which takes the fetch back. */
    admit_one(pubsub, NULL);
    subscriber->fetch = op;
    cg__waiters_add(&pubsub->fetchers, op);
    return CG_PENDING;
}

static enum cg_verdict fetch_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_subscriber *subscriber = ((struct cg_fetch_op *)op)->subscriber;

    (void)sched;
    subscriber->fetch = NULL;
    cg__waiters_remove(&subscriber->pubsub->fetchers, op);
    return CG_DONE;
}

static void fetch_withdraw(struct cg_op *op)
{
    memset(((struct cg_fetch_op *)op)->messages, 0, (size_t)op->result * sizeof(void *));
}

/* An op that has completed must not read its pubsub or subscriber: they may have been
 * freed. */
static int print(const struct cg_op *op, const struct cg_pubsub *pubsub, char *buf,
                 size_t size)
{
    if (op->state <= CG_OP_UNHEARD)
        return snprintf(buf, size, "pubsub");
    return snprintf(buf, size, "%s, %zu kept", pubsub->name, cg_pubsub_len(pubsub));
}

static int publish_print(const struct cg_op *op, char *buf, size_t size)
{
    return print(op, ((const struct cg_publish_op *)op)->pubsub, buf, size);
}

static int fetch_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_subscriber *subscriber =
        ((const struct cg_fetch_op *)op)->subscriber;

    return print(op, op->state <= CG_OP_UNHEARD ? NULL : subscriber->pubsub, buf, size);
}

const struct cg_op_type cg_publish_type = {
    .name = "publish",
    .flags = CG_OP_DEFAULT_TIMEOUT | CG_OP_LOCAL,
    .process = publish_process,
    .cancel = publish_cancel,
    .print = publish_print,
    .withdraw = publish_withdraw,
};

const struct cg_op_type cg_fetch_type = {
    .name = "fetch",
    .flags = CG_OP_DEFAULT_TIMEOUT | CG_OP_LOCAL,
    .process = fetch_process,
    .cancel = fetch_cancel,
    .print = fetch_print,
    .withdraw = fetch_withdraw,
};

struct cg_pubsub *cg_pubsub_new_with(const struct cg_pubsub_options *options)
{
    static const struct cg_pubsub_options none;
    struct cg_pubsub *pubsub = malloc(sizeof *pubsub);

    if (pubsub == NULL)
        return NULL;
    if (options == NULL)
        options = &none;
    *pubsub = (struct cg_pubsub){
        .limit = options->limit,
        .drop = options->drop,
        .name = options->name ? options->name : "pubsub",
    };
    return pubsub;
}

void cg_pubsub_free(struct cg_pubsub *pubsub)
{
    if (pubsub == NULL)
        return;
    cg__waiters_wake(&pubsub->publishers, -EBADF, NULL);
    cg_object_close(&pubsub->object);
    while (pubsub->subscribers)
        cg_pubsub_unsubscribe(pubsub->subscribers);
    drop_until(pubsub, pubsub->end);
    free(pubsub->ring);
    free(pubsub);
}

void cg_pubsub_subscribe(struct cg_pubsub *pubsub, struct cg_subscriber *subscriber,
                         enum cg_since since)
{
    uint64_t begin = since == CG_SINCE_NOW ? pubsub->end : pubsub->first;

    *subscriber = (struct cg_subscriber){
        .pubsub = pubsub,
        .next = pubsub->subscribers,
        .held = begin,
        .cursor = begin,
    };
    if (subscriber->next)
        subscriber->next->prev = subscriber;
    pubsub->subscribers = subscriber;
}

void cg_pubsub_unsubscribe(struct cg_subscriber *subscriber)
{
    struct cg_pubsub *pubsub = subscriber->pubsub;
    struct cg_op *fetch = subscriber->fetch;

    if (pubsub == NULL)
        return;
    *(subscriber->prev ? &subscriber->prev->next : &pubsub->subscribers) =
        subscriber->next;
    if (subscriber->next)
        subscriber->next->prev = subscriber->prev;
    if (fetch) {
        cg__waiters_remove(&pubsub->fetchers, fetch);
        end_fetch(fetch, -EBADF, NULL);
    }
    cg_object_close(&subscriber->object);
    subscriber->pubsub = NULL;
    admit(pubsub, NULL);
}

size_t cg_pubsub_compact(struct cg_pubsub *pubsub)
{
    uint64_t number = needed(pubsub);
    size_t n = (size_t)(number - pubsub->first);

    drop_until(pubsub, number);
    admit(pubsub, NULL);
    return n;
}

void cg_pubsub_close(struct cg_pubsub *pubsub)
{
    struct cg_op *op;

    pubsub->closed = true;
    cg__waiters_wake(&pubsub->publishers, -EPIPE, NULL);
    while ((op = cg__waiters_take(&pubsub->fetchers, NULL)))
        end_fetch(op, CG_EOF, NULL);
}

size_t cg_pubsub_len(const struct cg_pubsub *pubsub)
{
    return (size_t)(pubsub->end - pubsub->first);
}

size_t cg_subscriber_unread(const struct cg_subscriber *subscriber)
{
    return subscriber->pubsub ? (size_t)(subscriber->pubsub->end - subscriber->cursor)
                              : 0;
}
