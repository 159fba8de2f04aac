/* SPDX-License-Identifier: MIT */
/* Counts what a scheduler does, as its observer. Each operation is counted in cg_yield and
 * each request at the reactor, so that no type of operation and no backend needs anything of
 * its own. */
#include "config.h"

#include "lib/insight/metrics.h"

#include "lib/base/hash.h"
#include "lib/core/starter.h"

#include <cogen/datagram.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint numbers;

/* No order among the counts is needed, and nobody else writes them. */
static inline void set(atomic_ullong *count, unsigned long long value)
{
    atomic_store_explicit(count, value, memory_order_relaxed);
}

static inline void add(atomic_ullong *count, unsigned long long more)
{
    set(count, atomic_load_explicit(count, memory_order_relaxed) + more);
}

/* The limits are 1 us times the powers of 4. */
static inline int bucket_of(uint64_t length)
{
    uint64_t us = (length + 999) / 1000;
    int bucket = us > 1 ? (65 - __builtin_clzll(us - 1)) / 2 : 0;

    return bucket < CG_METRIC_BUCKETS ? bucket : CG_METRIC_BUCKETS - 1;
}

int64_t cg_metrics_limit(int index)
{
    return index < 0                         ? 0
           : index >= CG_METRIC_BUCKETS - 1 ? CG_NEVER
                                             : CG_MICROSECOND << 2 * index;
}

/* A clock that was set back makes a length 0. */
static inline void add_length(struct cg__histogram *histogram, int64_t length)
{
    uint64_t ns = length > 0 ? (uint64_t)length : 0;

    add(&histogram->buckets[bucket_of(ns)], 1);
    add(&histogram->sum, ns);
}

/* The ready queue. A coroutine is put into it by the one that runs or, while none runs, by
 * the loop. When is not noted there, since a scheduler that does not count would pay for it.
 * What has been put since the last look counts as put when that run began, or when the
 * reactor's wait ended. In a simulated world that chooses who runs, the delays are mixed. */

/* Not inline, as the frequent case needs no stack. */
__attribute__((noinline)) static void resize(struct cg__metrics *m,
                                             const struct cg__ready *ready)
{
    int64_t *since = calloc(ready->mask + 1, sizeof *since);

    if (m->since == NULL)
        m->head = m->tail = ready->head; /* of those that wait nothing is known */
    for (size_t i = m->head; since && i != m->tail; i++)
        since[i & ready->mask] = m->since[i & m->mask];
    free(m->since);
    m->since = since;
    m->mask = ready->mask; /* without memory nothing is measured until it grows again */
}

static inline void add_delay(struct cg__metrics *m, const struct cg__ready *ready, int64_t put,
                             int64_t now)
{
    size_t head = ready->head, tail = ready->tail, mask = m->mask;
    int64_t *since = m->since;

    if (since) {
        for (size_t i = head; (ptrdiff_t)(m->head - i) > 0; i++)
            since[i & mask] = put; /* favoured ones */
        for (size_t i = m->tail; i != tail; i++)
            since[i & mask] = put;
        add_length(&m->lengths[CG__METRICS_DELAY], now - since[head & mask]);
    }
    m->head = head + 1;
    m->tail = tail;
}

static void resumes(struct cg__observer *observer, struct cg_coro *coro, int64_t now,
                    int64_t ended)
{
    struct cg__metrics *m = (struct cg__metrics *)observer;
    struct cg_sched *sched = coro->sched;
    int64_t resumed = m->resumed;

    if (m->mask != sched->ready.mask)
        resize(m, &sched->ready);
    if (m->runs && ended)
        add_length(&m->lengths[CG__METRICS_RUN], ended - resumed);
    if (sched->ran == 1) {
        add(&m->counts[CG__METRICS_TURNS], 1);
        m->woke = m->woke ? m->woke : sched->now; /* the first turn */
        resumed = sched->now;
    }
    add(&m->counts[CG__METRICS_RESUMED], 1);
    m->runs = true;
    m->resumed = now;
    add_delay(m, &sched->ready, resumed, now);
}

/* Operations. Types are found by their addresses, and types of one name count together. */

static struct cg__metrics_type *new_type(struct cg__metrics *m, const char *name)
{
    unsigned count = atomic_load_explicit(&m->ntypes, memory_order_relaxed);

    for (unsigned i = 0; i < count; i++)
        if (strcmp(m->types[i].name, name) == 0)
            return &m->types[i];
    if (count == CG__METRICS_TYPES)
        return &m->types[CG__METRICS_TYPES - 1];
    m->types[count].name = count < CG__METRICS_TYPES - 1 ? name : "others";
    atomic_store_explicit(&m->ntypes, count + 1, memory_order_release);
    return &m->types[count];
}

/* Of a type that is not in its first place. */
__attribute__((noinline)) static struct cg__metrics_type *
find_type(struct cg__metrics *m, const struct cg_op_type *type, size_t at)
{
    for (unsigned tries = 0; tries < CG__METRICS_PLACES / 2; tries++) {
        if (m->places[at].type == type)
            return m->places[at].counts;
        if (m->places[at].type == NULL) {
            m->places[at].type = type;
            return m->places[at].counts = new_type(m, type->name);
        }
        at = (at + 1) % CG__METRICS_PLACES;
    }
    return new_type(m, "others");
}

static inline struct cg__metrics_type *type_of(struct cg__metrics *m,
                                               const struct cg_op_type *type)
{
    size_t at = cg__hash_own((uintptr_t)type) % CG__METRICS_PLACES;

    return m->places[at].type == type ? m->places[at].counts : find_type(m, type, at);
}

__attribute__((noinline)) static void add_failure(struct cg__metrics_type *type, ssize_t result)
{
    add(&type->counts[CG__METRICS_FAILURES], 1);
    if (result == -ETIMEDOUT)
        add(&type->counts[CG__METRICS_TIMEOUTS], 1);
}

static void ends(struct cg__observer *observer, struct cg_op *op, ssize_t result,
                 int64_t length)
{
    struct cg__metrics_type *type = type_of((struct cg__metrics *)observer, op->type);

    add(&type->counts[CG__METRICS_OPS], 1);
    if (length >= 0)
        add_length(&type->length, length);
    if (result < 0)
        add_failure(type, result);
}

/* The reactor. */

static void publish(struct cg__metrics *m, const struct cg_sched *sched)
{
    set(&m->counts[CG__METRICS_STARTED], sched->started);
    set(&m->counts[CG__METRICS_COROUTINES], sched->count);
    set(&m->counts[CG__METRICS_READY], cg__ready_count(&sched->ready));
    set(&m->counts[CG__METRICS_TIMERS], sched->timers.count);
    set(&m->counts[CG__METRICS_SOCKETS], sched->socks);
    set(&m->counts[CG__METRICS_IDLE], cg__starter_waiting(sched));
    set(&m->counts[CG__METRICS_HOLDS], sched->holds);
    set(&m->counts[CG__METRICS_BUFFERS], sched->reactor->chunks_out);
    set(&m->counts[CG__METRICS_BUFFERS_FREE], sched->reactor->chunks_free);
}

static void sleeps(struct cg__observer *observer, int64_t now)
{
    struct cg__metrics *m = (struct cg__metrics *)observer;

    if (m->runs)
        add_length(&m->lengths[CG__METRICS_RUN], now - m->resumed);
    m->runs = false;
    if (m->woke)
        add_length(&m->lengths[CG__METRICS_TURN], now - m->woke);
    m->slept = now;
    publish(m, m->sched);
}

static void wakes(struct cg__observer *observer, int64_t now)
{
    struct cg__metrics *m = (struct cg__metrics *)observer;

    add_length(&m->lengths[CG__METRICS_WAIT], now - m->slept);
    m->woke = now;
}

static void completes(struct cg__observer *observer, const struct cg_io *io, ssize_t result)
{
    struct cg__metrics *m = (struct cg__metrics *)observer;

    switch (io->code) {
    case CG_IO_RECV:
    case CG_IO_RECV_FDS:
    case CG_IO_SPLICE_IN:
        add(&m->counts[CG__METRICS_RECEIVED], result > 0 ? (size_t)result : 0);
        break;
    case CG_IO_SEND:
    case CG_IO_SENDV:
    case CG_IO_SENDFILE:
    case CG_IO_SEND_FDS:
    case CG_IO_SPLICE_OUT:
    case CG_IO_OFFER:
        add(&m->counts[CG__METRICS_SENT], result > 0 ? (size_t)result : 0);
        break;
    case CG_IO_RECV_DATAGRAMS:
    case CG_IO_SEND_DATAGRAMS:
        for (ssize_t i = 0; i < result; i++)
            add(&m->counts[io->code == CG_IO_RECV_DATAGRAMS ? CG__METRICS_RECEIVED
                                                            : CG__METRICS_SENT],
                io->datagrams[i].len);
        break;
    case CG_IO_ACCEPT:
        if (result != -ECANCELED)
            add(&m->counts[result < 0 ? CG__METRICS_REFUSED : CG__METRICS_ACCEPTED], 1);
        break;
    }
}

static void free_metrics(struct cg__observer *observer)
{
    struct cg__metrics *m = (struct cg__metrics *)observer;

    free(m->since);
    free(m);
}

int cg__metrics_add(struct cg_sched *sched)
{
    struct cg__metrics *m = calloc(1, sizeof *m);

    if (m == NULL)
        return -ENOMEM;
    m->observer = (struct cg__observer){
        .resumes = resumes,
        .ends = ends,
        .sleeps = sleeps,
        .wakes = wakes,
        .completes = completes,
        .free = free_metrics,
    };
    m->sched = sched;
    m->number = atomic_fetch_add(&numbers, 1) + 1;
    if (cg__observe_add(sched, &m->observer) < 0) {
        free(m);
        return -ENOMEM;
    }
    return 0;
}

struct cg__metrics *cg__metrics_of(const struct cg_sched *sched)
{
    return (struct cg__metrics *)cg__observe_find(sched, free_metrics);
}
