/* SPDX-License-Identifier: MIT */
/* Named signals. A signal is an event, not a state: it reaches the ops that wait now.
 * They are in one table of names; signallers that wait for recipients are in another.
 *
 * The signallers of a name are sorted by the number of recipients that they want, and
 * the first knows how many ops wait for the name. Each new waiter increases that number
 * by one, so it is enough to check the first signaller: those that wanted fewer were
 * served before. */
#include "config.h"

#include "lib/core/branches.h"
#include "lib/core/debug.h"
#include "lib/core/op.h"
#include "lib/vocabulary/names.h"
#include "lib/vocabulary/waiters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct cg_wait_signal_op) <= 128, "core ops fit in 128 bytes");
_Static_assert(sizeof(struct cg_signal_op) <= 136, "core ops fit in 136 bytes");

/* The tables of a scheduler, made when something first waits in them. */
struct signals {
    struct cg__part part;
    struct cg__names waiters, signallers;
};

/* Returns NULL if nothing has waited for a signal yet. */
static inline struct signals *signals_of(const struct cg_sched *sched)
{
    return (struct signals *)sched->parts[CG__PART_SIGNALS];
}

static void part_free(struct cg__part *part)
{
    struct signals *signals = (struct signals *)part;

    cg__names_free(&signals->waiters);
    cg__names_free(&signals->signallers);
    free(signals);
}

/* Returns NULL if there is no memory. */
__attribute__((noinline)) static struct signals *make_signals(struct cg_sched *sched)
{
    struct signals *signals = malloc(sizeof *signals);
    struct cg__hash_key key;

    if (signals == NULL)
        return NULL;
    signals->part = (struct cg__part){.free = part_free};
    cg__hash_key_init(&key);
    cg__names_init(&signals->waiters, &key);
    cg__names_init(&signals->signallers, &key);
    sched->parts[CG__PART_SIGNALS] = &signals->part;
    return signals;
}

static struct cg_wait_signal_op *wait_of(struct cg_named *named)
{
    return (struct cg_wait_signal_op *)((char *)named -
                                        offsetof(struct cg_wait_signal_op, named));
}

static struct cg_signal_op *signal_of(struct cg_named *named)
{
    return (struct cg_signal_op *)((char *)named - offsetof(struct cg_signal_op, named));
}

static void hand_over(struct cg_wait_signal_op *wait, const void *value, bool favoured)
{
    if (wait->value)
        memcpy(wait->value, &value, sizeof value);
    cg__op_complete(&wait->op, 0, favoured);
}

/* How many ops wait for the name, without those that race with `by` (NULL: all). */
static unsigned waiting(const struct signals *signals, struct cg_name name,
                        const struct cg_op *by)
{
    struct cg_named *first = cg__names_find(&signals->waiters, name), *named = first;
    unsigned n = 0;

    if (first)
        do
            n += !(by && by->branch && cg__waiters_are_rivals(by, &wait_of(named)->op));
        while ((named = named->next) != first);
    return n;
}

static bool enough(const struct signals *signals, const struct cg_signal_op *signal)
{
    return waiting(signals, signal->named.name, &signal->op) >= signal->recipients;
}

static void add_signaller(struct signals *signals, struct cg_signal_op *signal)
{
    struct cg_named *first = cg__names_find(&signals->signallers, signal->named.name);
    struct cg_named *next = first;

    if (first == NULL)
        signal->waiting = waiting(signals, signal->named.name, NULL);
    if (first == NULL || signal_of(first->prev)->recipients <= signal->recipients) {
        cg__names_add(&signals->signallers, &signal->named);
        return;
    }
    do
        next = next->prev;
    while (next != first && signal_of(next->prev)->recipients > signal->recipients);
    signal->waiting = signal_of(first)->waiting;
    cg__names_insert(&signals->signallers, &signal->named, next);
}

static void remove_signaller(struct signals *signals, struct cg_signal_op *signal)
{
    struct cg_named *named = &signal->named;

    if (cg__names_find(&signals->signallers, named->name) == named)
        signal_of(named->next)->waiting = signal->waiting; /* the next is the first now */
    cg__names_remove(&signals->signallers, &signal->named);
}

/* The waiters of the name were woken: counts them again. */
__attribute__((noinline)) static void recount(struct signals *signals, struct cg_name name)
{
    struct cg_named *first = cg__names_find(&signals->signallers, name);

    if (first)
        signal_of(first)->waiting = waiting(signals, name, NULL);
}

/* Wakes all waiters of the name, the oldest first; returns how many. */
static inline ssize_t fire(struct signals *signals, struct cg_name name,
                           const void *value, bool favoured)
{
    struct cg_named *named;
    bool more = true;
    ssize_t n = 0;

    /* One at a time: completing an op may remove ops that it raced with, but adds none. */
    for (; more && (named = cg__names_take(&signals->waiters, name, &more)); n++)
        hand_over(wait_of(named), value, favoured);
    if (signals->signallers.count)
        recount(signals, name);
    return n;
}

/* For the debug mode: the last signal of a name that nobody has heard. It says nothing about
 * those who wait after a later one was heard. */
static inline void note(struct cg_sched *sched, struct cg_name name, ssize_t heard)
{
    if (__builtin_expect(sched->debug == NULL, 1))
        return;
    if (heard == 0)
        cg__debug_note(sched, CG__DEBUG_MISSED, cg__names_word(name), NULL, cg__coro_self);
    else
        cg__debug_forget(sched, CG__DEBUG_MISSED, cg__names_word(name));
}

ssize_t cg_sched_signal_with(struct cg_sched *sched, struct cg_name name,
                             const void *value)
{
    struct signals *signals = signals_of(sched);
    ssize_t n = signals ? fire(signals, name, value, false) : 0;

    note(sched, name, n);
    return n;
}

/* The first waiter of the name that does not race with the signalling branch. */
static struct cg_named *other(struct signals *signals, const struct cg_signal_op *signal)
{
    struct cg_named *first = cg__names_find(&signals->waiters, signal->named.name);
    struct cg_named *named = first;

    while (named && cg__waiters_are_rivals(&signal->op, &wait_of(named)->op))
        if ((named = named->next) == first)
            return NULL;
    return named;
}

/* Like fire, for a signal that is a branch: skips the ops that race with it, since only one
 * branch of a cg_any may complete. */
static ssize_t fire_branch(struct signals *signals, const struct cg_signal_op *signal,
                           bool favoured)
{
    struct cg_named *named;
    ssize_t n = 0;

    for (; (named = other(signals, signal)); n++) {
        cg__names_remove(&signals->waiters, named);
        hand_over(wait_of(named), signal->value, favoured);
    }
    if (signals->signallers.count)
        recount(signals, signal->named.name);
    return n;
}

static inline ssize_t fire_by(struct signals *signals, const struct cg_signal_op *signal,
                              unsigned prio)
{
    if (signal->branch)
        return fire_branch(signals, signal, prio & CG_PRIO_OP);
    return fire(signals, signal->named.name, signal->value, prio & CG_PRIO_OP);
}

static enum cg_verdict signal_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_signal_op *signal = (struct cg_signal_op *)op;
    struct signals *signals = signals_of(sched);
    ssize_t n;

    if (signals == NULL && signal->recipients == 0) {
        note(sched, signal->named.name, 0);
        return cg__op_done(op, 0);
    }
    if (signals == NULL && (signals = make_signals(sched)) == NULL)
        return cg__op_done(op, -ENOMEM);
    if (signal->recipients && !enough(signals, signal)) {
        add_signaller(signals, signal);
        return CG_PENDING;
    }
    n = fire_by(signals, signal, cg__op_prio_in(op, sched));
    note(sched, signal->named.name, n);
    return n > 0 ? cg__op_after_others(op, sched, n) : cg__op_done(op, 0);
}

static enum cg_verdict signal_cancel(struct cg_op *op, struct cg_sched *sched)
{
    remove_signaller(signals_of(sched), (struct cg_signal_op *)op);
    return CG_DONE;
}

static int signal_print(const struct cg_op *op, char *buf, size_t size)
{
    return cg__names_print(((const struct cg_signal_op *)op)->named.name, buf, size);
}

const struct cg_op_type cg_signal_type = {
    .name = "signal",
    .flags = CG_OP_DEFAULT_TIMEOUT | CG_OP_LOCAL,
    .process = signal_process,
    .cancel = signal_cancel,
    .print = signal_print,
};

/* The oldest signaller of a name that has enough recipients now; NULL: none. */
static struct cg_signal_op *satisfied(struct signals *signals, struct cg_signal_op *first)
{
    struct cg_signal_op *signal = first;

    while (signal->recipients <= first->waiting) {
        if (!signal->branch || enough(signals, signal))
            return signal;
        if ((signal = signal_of(signal->named.next)) == first)
            break;
    }
    return NULL;
}

/* Sends the signal to those who wait, last of all to the op that has just come. If one of the
 * others has decided its race, it waits in vain and its race takes it back. */
static ssize_t fire_with(struct signals *signals, const struct cg_signal_op *signal, unsigned prio,
                         struct cg_wait_signal_op *newest)
{
    ssize_t n;

    cg__names_remove(&signals->waiters, &newest->named);
    n = fire_by(signals, signal, prio);
    if (!cg__any_has_lost(&newest->op) &&
        !(signal->branch && cg__waiters_are_rivals(&signal->op, &newest->op))) {
        hand_over(newest, signal->value, prio & CG_PRIO_OP);
        return n + 1;
    }
    cg__names_add(&signals->waiters, &newest->named);
    recount(signals, newest->named.name);
    return n;
}

/* A new op waits for the name: a signaller may have enough recipients now. */
__attribute__((noinline)) static void meet(struct cg_sched *sched, struct signals *signals,
                                           struct cg_wait_signal_op *newest)
{
    const struct cg_name name = newest->named.name;
    struct cg_named *first = cg__names_find(&signals->signallers, name);
    struct cg_signal_op *signal;
    unsigned prio;
    ssize_t n;

    if (first == NULL)
        return;
    signal_of(first)->waiting++;
    if ((signal = satisfied(signals, signal_of(first))) == NULL)
        return;
    remove_signaller(signals, signal);
    prio = cg__op_prio(&signal->op);
    /* With CORO the signaller runs before those that it wakes, so it completes first. Its
     * result is set afterwards: their number is not known before, as a race that waits in
     * two branches is woken once. Nobody can see the gap: to complete an op makes its
     * coroutine ready, or decides its race and cancels the other branches, but runs no
     * coroutine. */
    if (prio & CG_PRIO_CORO)
        cg_op_complete(&signal->op, 0);
    else
        cg__op_claim(&signal->op);
    n = fire_with(signals, signal, prio, newest);
    note(sched, name, n);
    if (prio & CG_PRIO_CORO)
        signal->op.result = n;
    else
        cg_op_complete(&signal->op, n);
}

static enum cg_verdict wait_process(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_wait_signal_op *wait = (struct cg_wait_signal_op *)op;
    struct signals *signals = signals_of(sched);

    if (signals == NULL && (signals = make_signals(sched)) == NULL)
        return cg__op_done(op, -ENOMEM);
    cg__names_add(&signals->waiters, &wait->named);
    if (signals->signallers.count)
        meet(sched, signals, wait);
    return CG_PENDING;
}

static enum cg_verdict wait_cancel(struct cg_op *op, struct cg_sched *sched)
{
    struct cg_wait_signal_op *wait = (struct cg_wait_signal_op *)op;
    struct signals *signals = signals_of(sched);
    struct cg_named *first = NULL;

    cg__names_remove(&signals->waiters, &wait->named);
    if (signals->signallers.count)
        first = cg__names_find(&signals->signallers, wait->named.name);
    if (first)
        signal_of(first)->waiting--;
    return CG_DONE;
}

static int wait_print(const struct cg_op *op, char *buf, size_t size)
{
    return cg__names_print(((const struct cg_wait_signal_op *)op)->named.name, buf,
                           size);
}

const struct cg_op_type cg_wait_signal_type = {
    .name = "wait_signal",
    .flags = CG_OP_DEFAULT_TIMEOUT | CG_OP_LOCAL,
    .process = wait_process,
    .cancel = wait_cancel,
    .print = wait_print,
};
