/* SPDX-License-Identifier: MIT */
/* Subjects that wait for coroutines, for the clock and for signals, and subjects that never
 * wait. */
#include "tests/pairs/pairs.h"

/* The clock */

struct sleeper {
    struct world w;
    int64_t moment;
};

static void no_cause(struct world *w)
{
    (void)w;
}

static struct cg_op *sleep_op(struct world *w)
{
    struct sleeper *s = (struct sleeper *)w;

    s->moment = cg_sched_now(cg_sched_self()) + MS / 20;
    return KEEP(w, cg_sleep_op, cg_sleep(MS / 20));
}

static struct cg_op *sleep_until_op(struct world *w)
{
    struct sleeper *s = (struct sleeper *)w;

    s->moment = cg_sched_now(cg_sched_self()) + MS / 20;
    return KEEP(w, cg_sleep_op, cg_sleep_until(s->moment));
}

static void sleep_got(struct world *w, ssize_t answer)
{
    IS(answer, 0);
    HOLDS(cg_sched_now(cg_sched_self()) >= ((struct sleeper *)w)->moment);
}

static struct cg_op *pass_op(struct world *w)
{
    return KEEP(w, cg_plain_op, cg_pass());
}

static void is_zero(struct world *w, ssize_t answer)
{
    (void)w;
    IS(answer, 0);
}

/* Suspended: one activation is remembered */

static struct cg_op *suspend_op(struct world *w)
{
    return KEEP(w, cg_plain_op, cg_suspend());
}

static void suspend_cause(struct world *w)
{
    IS(cg_yield(cg_activate(w->self, .value = 100 + (ssize_t)w->caused)), 0);
}

static void suspend_got(struct world *w, ssize_t answer)
{
    IS(answer, 100 + (ssize_t)w->seen);
}

/* The end of another coroutine */

struct other {
    struct world w;
    struct cg_event event;
    struct cg_coro *coro;
    struct cg_group group;
    bool waiting; /* the function has begun to wait */
    size_t ended;
    const void *value;
};

static ssize_t ends(void *arg)
{
    struct other *o = arg;

    o->waiting = true;
    cg_yield(cg_wait_event(&o->event));
    o->event.set = false;
    o->ended++;
    return 40 + (ssize_t)o->ended;
}

static void other_open(struct world *w)
{
    ((struct other *)w)->coro = test_start(ends, w);
}

static void event_cause(struct world *w)
{
    cg_event_set(&((struct other *)w)->event);
}

static struct cg_op *join_op(struct world *w)
{
    return KEEP(w, cg_coro_op, cg_join(((struct other *)w)->coro));
}

static void join_got(struct world *w, ssize_t answer)
{
    struct other *o = (struct other *)w;

    IS(answer, 40 + (ssize_t)w->seen);
    IS(test_end(o->coro), answer); /* a second join returns it too */
    other_open(w);
}

static void other_close(struct world *w)
{
    struct other *o = (struct other *)w;

    cg_event_set(&o->event);
    OK(test_end(o->coro));
}

/* A call: what it has done is not undone */

static struct cg_op *call_op(struct world *w)
{
    ((struct other *)w)->waiting = false;
    return KEEP(w, cg_call_op, cg_call(ends, w));
}

/* The function has run to its end, or was never begun. */
static void call_check(struct world *w, ssize_t answer)
{
    struct other *o = (struct other *)w;
    ssize_t more;

    if (!pairs_lost(answer))
        IS(answer, 41);
    HOLDS(o->ended == o->waiting);
    more = 41 + (ssize_t)o->ended;
    o->event.set = true;
    IS(cg_yield(call_op(w)), more);
}

/* A group: no coroutine outlives the wait */

static void group_open(struct world *w)
{
    struct other *o = (struct other *)w;

    cg_group_open(&o->group);
    IS(cg_yield(cg_add_to_group(&o->group, ends, w)), 0);
}

static struct cg_op *group_op(struct world *w)
{
    return KEEP(w, cg_wait_group_op, cg_wait_group(&((struct other *)w)->group));
}

static void group_check(struct world *w, ssize_t answer)
{
    struct other *o = (struct other *)w;

    if (!pairs_lost(answer))
        OK(answer);
    if (!o->group.closed) { /* the wait was never begun */
        cg_event_set(&o->event);
        IS(cg_yield(group_op(w)), 0);
    }
    HOLDS(cg_group_count(&o->group) == 0);
    HOLDS(o->ended == 1);
}

static void nothing(struct world *w)
{
    (void)w;
}

/* Ops that never wait: done if and only if they say so */

static ssize_t counts(void *arg)
{
    ((struct other *)arg)->ended++;
    return 0;
}

static struct cg_op *add_op(struct world *w)
{
    return KEEP(w, cg_add_op, cg_add(counts, w));
}

static void add_check(struct world *w, ssize_t answer)
{
    if (!pairs_lost(answer))
        IS(answer, 0);
    IS(cg_yield(cg_pass()), 0);
    IS(cg_yield(cg_pass()), 0);
    HOLDS(((struct other *)w)->ended == !pairs_lost(answer));
}

/* Adds to a group that another coroutine owns, so that the race may be cancelled. */
static ssize_t owns(void *arg)
{
    struct other *o = arg;

    cg_group_open(&o->group);
    o->waiting = true;
    IS(cg_yield(cg_wait_event(&o->event)), 0);
    return cg_yield(cg_wait_group(&o->group));
}

static void owner_open(struct world *w)
{
    struct other *o = (struct other *)w;

    o->coro = test_start(owns, o);
    while (!o->waiting)
        IS(cg_yield(cg_pass()), 0);
}

static struct cg_op *group_add_op(struct world *w)
{
    return KEEP(w, cg_add_to_group_op,
                cg_add_to_group(&((struct other *)w)->group, counts, w));
}

static void owner_close(struct world *w)
{
    struct other *o = (struct other *)w;

    cg_event_set(&o->event);
    IS(test_end(o->coro), 0);
}

static struct cg_op *cancel_op(struct world *w)
{
    return KEEP(w, cg_coro_op, cg_cancel(((struct other *)w)->coro));
}

static void cancel_check(struct world *w, ssize_t answer)
{
    struct other *o = (struct other *)w;

    if (!pairs_lost(answer))
        IS(answer, 0);
    IS(cg_yield(cg_pass()), 0);
    IS(cg_yield(cg_pass()), 0);
    HOLDS(o->ended == !pairs_lost(answer));
}

static ssize_t is_activated(void *arg)
{
    struct other *o = arg;
    ssize_t value = cg_yield(cg_suspend());

    o->ended++;
    return value;
}

static void activate_open(struct world *w)
{
    ((struct other *)w)->coro = test_start(is_activated, w);
}

static struct cg_op *activate_op(struct world *w)
{
    return KEEP(w, cg_coro_op, cg_activate(((struct other *)w)->coro, .value = 7));
}

static void activate_check(struct world *w, ssize_t answer)
{
    struct other *o = (struct other *)w;

    if (pairs_lost(answer))
        IS(cg_yield(cg_activate(o->coro, .value = 8)), 0);
    else
        IS(answer, 0);
    IS(test_end(o->coro), pairs_lost(answer) ? 8 : 7);
}

/* Named signals */

struct listener {
    struct world w;
    intptr_t value, heard;
    ssize_t woken;
    struct cg_coro *waiter;
};

static struct cg_op *wait_signal_op(struct world *w)
{
    struct listener *l = (struct listener *)w;

    return KEEP(w, cg_wait_signal_op, cg_wait_signal(l, &l->value));
}

static void wait_signal_cause(struct world *w)
{
    struct listener *l = (struct listener *)w;

    l->woken += OK(cg_yield(cg_signal(l, w->caused)));
}

/* A waiter that is counted as woken has the signal. */
static void wait_signal_check(struct world *w, ssize_t answer)
{
    struct listener *l = (struct listener *)w;

    IS(l->woken, !pairs_lost(answer));
    IS(l->value, !pairs_lost(answer));
    if (w->caused == 0)
        pairs_cause(w);
    IS(l->woken, !pairs_lost(answer));
}

static ssize_t hears(void *arg)
{
    struct listener *l = arg;

    IS(cg_yield(cg_wait_signal(l, &l->heard)), 0);
    return 0;
}

static struct cg_op *signal_op(struct world *w)
{
    struct listener *l = (struct listener *)w;

    l->value++;
    return KEEP(w, cg_signal_op, cg_signal(l, l->value, .recipients = 1));
}

static void signal_cause(struct world *w)
{
    struct listener *l = (struct listener *)w;

    if (!l->waiter)
        l->waiter = test_start(hears, l);
}

static void signal_got(struct world *w, ssize_t answer)
{
    struct listener *l = (struct listener *)w;

    IS(answer, 1);
    IS(test_end(l->waiter), 0);
    IS(l->heard, l->value);
    l->waiter = NULL;
}

static void signal_lost(struct world *w)
{
    IS(((struct listener *)w)->heard, 0);
}

/* A remote signal, sent to this scheduler itself. */
static void remote_open(struct world *w)
{
    struct listener *l = (struct listener *)w;

    l->waiter = test_start(hears, l);
    IS(cg_yield(cg_pass()), 0);
    IS(cg_yield(cg_pass()), 0);
}

static struct cg_op *remote_op(struct world *w)
{
    struct listener *l = (struct listener *)w;

    return KEEP(w, cg_signal_remote_op, cg_signal_remote(cg_sched_self(), l, 5));
}

/* If the op has completed, it has woken a waiter. If not, it has woken none, unless the
 * signal has been sent already. */
static void remote_check(struct world *w, ssize_t answer)
{
    struct listener *l = (struct listener *)w;

    if (pairs_lost(answer)) {
        if (!l->heard)
            IS(cg_yield(remote_op(w)), 1);
    } else
        IS(answer, 1);
    IS(test_end(l->waiter), 0);
    IS(l->heard, 5);
}

#define OTHER .size = sizeof(struct other), .open = other_open, .close = other_close
#define LISTENER .size = sizeof(struct listener), .open = nothing, .close = nothing
#define CLOCK                                                                          \
    .size = sizeof(struct sleeper), .flags = ITSELF, .open = nothing,                  \
    .cause = no_cause, .close = nothing

static const struct subject subjects[] = {
    {"sleep", CLOCK, .op = sleep_op, .got = sleep_got},
    {"sleep_until", CLOCK, .op = sleep_until_op, .got = sleep_got},
    {"pass", CLOCK, .op = pass_op, .got = is_zero},
    {"suspend", .size = sizeof(struct world), .flags = ONCE, .open = nothing,
     .op = suspend_op, .cause = suspend_cause, .got = suspend_got, .close = nothing},
    {"join", OTHER, .op = join_op, .cause = event_cause, .got = join_got},
    {"call", .size = sizeof(struct other), .open = nothing, .op = call_op,
     .cause = event_cause, .check = call_check, .close = nothing},
    {"wait_group", .size = sizeof(struct other), .flags = SCOPED | ONCE,
     .open = group_open, .op = group_op, .cause = event_cause, .check = group_check,
     .close = nothing},
    {"add", .size = sizeof(struct other), .flags = ITSELF, .open = nothing,
     .op = add_op, .cause = no_cause, .check = add_check, .close = nothing},
    {"add_to_group", .size = sizeof(struct other), .flags = ITSELF, .open = owner_open,
     .op = group_add_op, .cause = no_cause, .check = add_check, .close = owner_close},
    {"cancel", OTHER, .flags = ITSELF, .op = cancel_op, .cause = no_cause,
     .check = cancel_check},
    {"activate", .size = sizeof(struct other), .flags = ITSELF, .open = activate_open,
     .op = activate_op, .cause = no_cause, .check = activate_check, .close = nothing},
    {"wait_signal", LISTENER, .flags = FLEETING, .op = wait_signal_op,
     .cause = wait_signal_cause, .check = wait_signal_check},
    {"signal", LISTENER, .op = signal_op, .cause = signal_cause, .got = signal_got,
     .lost = signal_lost},
    {"signal_remote", .size = sizeof(struct listener), .flags = ITSELF,
     .open = remote_open, .op = remote_op, .cause = no_cause, .check = remote_check,
     .close = nothing},
};

const struct family pairs_coros = {subjects, COUNT(subjects)};
