/* SPDX-License-Identifier: MIT */
/* Counts what a scheduler does: what is rare, or happens once a turn. Each operation is counted in
 * cg_yield and each request at the reactor, so that no type of operation and no backend needs
 * anything of its own. */
#include "config.h"

#include "lib/core/counts.h"

#include "lib/core/branches.h"
#include "lib/core/sched.h"
#include "lib/core/starter.h"

#include <cogen/any.h>
#include <cogen/datagram.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint numbers;

static inline void set(atomic_ullong *count, unsigned long long value)
{
    atomic_store_explicit(count, value, memory_order_relaxed);
}

/* The limits of buckets are 1 us times the powers of 4. */
static inline int64_t limit(int index)
{
    return index >= CG_METRIC_BUCKETS - 1 ? CG_NEVER : CG_MICROSECOND << 2 * index;
}

int64_t cg_metrics_limit(int index)
{
    return index < 0 ? 0 : limit(index);
}

void cg__counts_find_bucket(struct cg__histogram *histogram, uint64_t length)
{
    uint64_t us = length > 0 ? (length - 1) / 1000 : 0; /* whole ones, less what is a limit */
    int i = (64 - __builtin_clzll(us * 2 + 1)) / 2;

    i = i < CG_METRIC_BUCKETS ? i : CG_METRIC_BUCKETS - 1;
    histogram->bucket = &histogram->buckets[i];
    histogram->low = i > 0 ? (uint64_t)limit(i - 1) + 1 : 0;
    histogram->width = (uint64_t)limit(i) - histogram->low + 1;
}

/* The ready queue. A coroutine is put into it by the one that runs or, while none runs, by
 * the loop. When is not noted there, since a scheduler that does not count would pay for it.
 * What has been put since the last look counts as put when that run began, or, in a turn that is
 * not timed, when the next turn began. In a simulated world that chooses who runs, the delays are
 * mixed. */

static void resize(struct cg__counts *counts, const struct cg__ready *ready)
{
    int64_t *since = calloc(ready->mask + 1, sizeof *since);

    if (counts->since == NULL)
        counts->head = counts->tail = ready->head; /* of those that wait nothing is known */
    for (size_t i = counts->head; since && i != counts->tail; i++)
        since[i & ready->mask] = counts->since[i & counts->mask];
    free(counts->since);
    counts->since = since;
    counts->mask = ready->mask; /* without memory nothing is measured until it grows again */
}

/* Notes those that have been put. */
static void look(struct cg__counts *counts, const struct cg__ready *ready, int64_t put)
{
    size_t head = ready->head, tail = ready->tail, mask = ready->mask;
    int64_t *since;

    if (counts->mask != mask)
        resize(counts, ready);
    since = counts->since;
    if (since == NULL)
        return;
    for (size_t i = head; (ptrdiff_t)(counts->head - i) > 0; i++)
        since[i & mask] = put; /* favoured ones */
    for (size_t i = (ptrdiff_t)(head - counts->tail) > 0 ? head : counts->tail; i != tail; i++)
        since[i & mask] = put;
    counts->head = head;
    counts->tail = tail;
}

bool cg__counts_turn(struct cg__counts *counts, const struct cg__ready *ready, int64_t now)
{
    atomic_ullong *turns = &counts->values[CG__COUNTS_TURNS];

    cg__counts_add(turns, 1);
    counts->woke = counts->woke ? counts->woke : now; /* the very first one */
    look(counts, ready, now);
    return cg__ready_count(ready) <= CG__COUNTS_FEW ||
           atomic_load_explicit(turns, memory_order_relaxed) % CG__COUNTS_SAMPLE == 0;
}

void cg__counts_time(struct cg__counts *counts, const struct cg__ready *ready, bool first,
                     int64_t now, int64_t ended)
{
    if (counts->runs && ended)
        cg__counts_add_length(&counts->lengths[CG__COUNTS_RUN], ended - counts->resumed);
    if (!first)
        look(counts, ready, counts->resumed);
    if (counts->since)
        cg__counts_add_length(&counts->lengths[CG__COUNTS_DELAY],
                              now - counts->since[ready->head & counts->mask]);
    counts->head++;
    counts->runs = true;
    counts->resumed = now;
}

/* Operations. Types of one name count together. */

static struct cg__counts_type *named(struct cg__counts *counts, unsigned count,
                                     const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(counts->types[i].name, name) == 0)
            return &counts->types[i];
    return NULL;
}

static struct cg__counts_type *new_type(struct cg__counts *counts, const char *name)
{
    unsigned count = atomic_load_explicit(&counts->ntypes, memory_order_relaxed);
    struct cg__counts_type *type = named(counts, count, name);

    if (type == NULL && count >= CG__COUNTS_TYPES - 1)
        type = named(counts, count, name = "others");
    if (type)
        return type;
    counts->types[count].name = name;
    atomic_store_explicit(&counts->ntypes, count + 1, memory_order_release);
    return &counts->types[count];
}

static bool is_race(const struct cg_op_type *type)
{
    return type == &cg_any_type || type == &cg_all_type;
}

/* Of a type that is not in its first place. */
struct cg__counts_type *cg__counts_find(struct cg__counts *counts,
                                        const struct cg_op_type *type, size_t at)
{
    for (unsigned tries = 0; tries < CG__COUNTS_PLACES / 2; tries++) {
        if (counts->places[at].type == type)
            return counts->places[at].counts;
        if (counts->places[at].type == NULL) {
            counts->places[at].type = type;
            return counts->places[at].counts = new_type(counts, type->name);
        }
        at = (at + 1) % CG__COUNTS_PLACES;
    }
    return new_type(counts, "others");
}

/* An invalid race has begun none of its branches. */
static void count_branches(struct cg__counts *counts, const struct cg_any_op *any)
{
    for (size_t i = 0, count = cg__branches_count(any); i < count; i++) {
        const struct cg_op_type *type = any->ops[i]->type;

        cg__counts_add(
            &cg__counts_find(counts, type, cg__counts_place(type))->branches, 1);
        if (is_race(type))
            count_branches(counts, (const struct cg_any_op *)any->ops[i]);
    }
}

void cg__counts_special(struct cg__counts *counts, struct cg__counts_type *type,
                        const struct cg_op *op, ssize_t result)
{
    if (result < 0)
        cg__counts_add(&type->failures, 1);
    if (result == -ETIMEDOUT)
        cg__counts_add(&type->timeouts, 1);
    if (is_race(op->type) && result != -EINVAL && result != -ELOOP)
        count_branches(counts, (const struct cg_any_op *)op);
}

/* Requests. */

static void add_datagrams(atomic_ullong *bytes, const struct cg_io *io, ssize_t count)
{
    for (ssize_t i = 0; i < count; i++)
        cg__counts_add(bytes, io->datagrams[i].len);
}

void cg__counts_request(struct cg__counts *counts, const struct cg_io *io, ssize_t result)
{
    atomic_ullong *values = counts->values;
    size_t moved = result > 0 ? (size_t)result : 0;

    switch (io->code) {
    case CG_IO_RECV_FDS:
    case CG_IO_SPLICE_IN:
        cg__counts_add(&values[CG__COUNTS_RECEIVED], moved);
        break;
    case CG_IO_SEND_FDS:
    case CG_IO_SPLICE_OUT:
    case CG_IO_OFFER:
        cg__counts_add(&values[CG__COUNTS_SENT], moved);
        break;
    case CG_IO_RECV_DATAGRAMS:
        add_datagrams(&values[CG__COUNTS_RECEIVED], io, result);
        break;
    case CG_IO_SEND_DATAGRAMS:
        add_datagrams(&values[CG__COUNTS_SENT], io, result);
        break;
    case CG_IO_ACCEPT:
        if (result != -ECANCELED)
            cg__counts_add(&values[result < 0 ? CG__COUNTS_REFUSED : CG__COUNTS_ACCEPTED], 1);
        break;
    }
}

/* Turns. */

static void publish(struct cg__counts *counts, const struct cg_sched *sched)
{
    atomic_ullong *values = counts->values;
    size_t stacks, stacks_free;

    cg__stack_pool_count(sched->stacks, &stacks, &stacks_free);
    set(&values[CG__COUNTS_STARTED], sched->started);
    set(&values[CG__COUNTS_COROUTINES], sched->count);
    set(&values[CG__COUNTS_READY], cg__ready_count(&sched->ready));
    set(&values[CG__COUNTS_TIMERS], sched->timers.count);
    set(&values[CG__COUNTS_SOCKETS], sched->socks);
    set(&values[CG__COUNTS_IDLE], cg__starter_waiting(sched));
    set(&values[CG__COUNTS_HOLDS], sched->holds);
    set(&values[CG__COUNTS_BUFFERS], sched->reactor->chunks_out);
    set(&values[CG__COUNTS_BUFFERS_FREE], sched->reactor->chunks_free);
    set(&values[CG__COUNTS_STACKS], stacks);
    set(&values[CG__COUNTS_STACKS_FREE], stacks_free);
}

static void sleeps(struct cg__observer *observer, int64_t now)
{
    struct cg__counts *counts = (struct cg__counts *)observer;

    if (counts->runs)
        cg__counts_add_length(&counts->lengths[CG__COUNTS_RUN], now - counts->resumed);
    counts->runs = false;
    if (counts->woke)
        cg__counts_add_length(&counts->lengths[CG__COUNTS_TURN], now - counts->woke);
    counts->slept = now;
    publish(counts, counts->sched);
}

static void wakes(struct cg__observer *observer, int64_t now)
{
    struct cg__counts *counts = (struct cg__counts *)observer;

    cg__counts_add_length(&counts->lengths[CG__COUNTS_WAIT], now - counts->slept);
    counts->woke = now;
}

static void free_counts(struct cg__observer *observer)
{
    struct cg__counts *counts = (struct cg__counts *)observer;

    free(counts->since);
    free(counts);
}

int cg__counts_begin(struct cg_sched *sched)
{
    struct cg__counts *counts = calloc(1, sizeof *counts);

    if (counts == NULL)
        return -ENOMEM;
    counts->observer = (struct cg__observer){
        .sleeps = sleeps, .wakes = wakes, .free = free_counts};
    counts->sched = sched;
    counts->number = atomic_fetch_add(&numbers, 1) + 1;
    if (cg__observe_count(sched, counts) < 0) {
        free(counts);
        return -ENOMEM;
    }
    return 0;
}
