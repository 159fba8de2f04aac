/* SPDX-License-Identifier: MIT */
/* Subjects for operations between threads: channels, functions on other workers. Here both
 * sides are in the same scheduler. */
#include "config.h"

#include "lib/threads/crew.h"
#include "tests/pairs/pairs.h"

#include <stdlib.h>

struct passing {
    struct world w;
    struct cg_channel *channel;
    struct cg_worker worker; /* represents this scheduler */
    struct cg_event event;
    struct cg_coro *waiter;
    intptr_t words[2];
    intptr_t in, out; /* how many words went in and came out */
};

static struct passing *of(struct world *w)
{
    return (struct passing *)w;
}

static void channel_open(struct world *w)
{
    of(w)->channel = cg_channel_new();
}

static void channel_close(struct world *w)
{
    IS((ssize_t)cg_channel_size(of(w)->channel), 0);
    cg_channel_unref(of(w)->channel);
}

static void send_number(struct world *w)
{
    IS(cg_channel_try_send(of(w)->channel, (void *)w->caused), 0);
}

static struct cg_op *receive_op(struct world *w)
{
    of(w)->words[0] = -1;
    return KEEP(w, cg_receive_op, cg_receive(of(w)->channel, &of(w)->words[0]));
}

static struct cg_op *receive_many_op(struct world *w)
{
    of(w)->words[0] = -1;
    return KEEP(w, cg_receive_op, cg_receive_many(of(w)->channel, of(w)->words, 1));
}

static void received(struct world *w, ssize_t answer)
{
    IS(answer, 0);
    IS(of(w)->words[0], (intptr_t)w->seen);
}

static void received_many(struct world *w, ssize_t answer)
{
    IS(answer, 1);
    IS(of(w)->words[0], (intptr_t)w->seen);
}

static void nothing_received(struct world *w)
{
    IS(of(w)->words[0], -1);
}

/* A full channel: exactly the items that were sent are received, in order. */
static void full_open(struct world *w)
{
    of(w)->channel = cg_channel_new(.limit = 1);
    IS(cg_channel_try_send(of(w)->channel, (void *)of(w)->in++), 0);
}

static void take_one(struct world *w)
{
    intptr_t item;

    IS(cg_channel_try_receive(of(w)->channel, &item), 0);
    IS(item, of(w)->out++);
}

static struct cg_op *send_op(struct world *w)
{
    return KEEP(w, cg_send_op, cg_send(of(w)->channel, of(w)->in));
}

static void send_check(struct world *w, ssize_t answer)
{
    if (!pairs_lost(answer)) {
        IS(answer, 0);
        of(w)->in++;
    }
    while (of(w)->out < of(w)->in)
        take_one(w);
    IS(cg_yield(send_op(w)), 0);
    of(w)->in++;
    take_one(w);
}

static void worker_open(struct world *w)
{
    of(w)->worker = (struct cg_worker){.sched = cg_sched_self(), .name = "worker"};
}

static ssize_t waits(void *arg)
{
    struct passing *passing = arg;
    ssize_t rc = cg_yield(cg_wait_event(&passing->event));

    passing->out++;
    return rc < 0 ? rc : 7;
}

static struct cg_op *run_on_op(struct world *w)
{
    return KEEP(w, cg_run_on_op, cg_run_on(&of(w)->worker, waits, w));
}

static void set_event(struct world *w)
{
    cg_event_set(&of(w)->event);
}

/* However the op ended, the function has ended, or has not begun. */
static void run_on_check(struct world *w, ssize_t answer)
{
    if (!pairs_lost(answer))
        IS(answer, 7);
    ck_assert_ptr_null(of(w)->worker.guests);
    set_event(w);
    of(w)->out = 0;
    IS(cg_yield(run_on_op(w)), 7);
    IS(of(w)->out, 1);
}

/* The process's crew: its only worker represents this scheduler. */
static struct cg__crew *crew;

static void crew_open(struct world *w)
{
    (void)w;
    if (crew == NULL)
        crew = calloc(1, sizeof *crew + sizeof *crew->workers);
    crew->count = 1;
    crew->workers[0].sched = cg_sched_self();
    cg__crew_set(crew);
}

static struct cg_op *run_on_each_op(struct world *w)
{
    return KEEP(w, cg_run_on_each_op, cg_run_on_each(waits, w));
}

static void run_on_each_check(struct world *w, ssize_t answer)
{
    if (!pairs_lost(answer))
        IS(answer, 0);
    set_event(w);
    of(w)->out = 0;
    IS(cg_yield(run_on_each_op(w)), 0);
    IS(of(w)->out, 1);
}

static ssize_t hears(void *arg)
{
    return cg_yield(cg_wait_signal(arg, of(arg)->words));
}

static void listener_open(struct world *w)
{
    crew_open(w);
    of(w)->waiter = test_start(hears, w);
    IS(cg_yield(cg_pass()), 0);
    IS(cg_yield(cg_pass()), 0);
}

static struct cg_op *signal_crew_op(struct world *w)
{
    return KEEP(w, cg_signal_crew_op, cg_signal_crew(w, 5));
}

static void comes_by_itself(struct world *w)
{
    (void)w;
}

/* If the op has completed, it has woken a waiter. If not, it may have. */
static void signal_crew_check(struct world *w, ssize_t answer)
{
    if (!pairs_lost(answer))
        IS(answer, 1);
    else if (of(w)->words[0] == 0)
        IS(cg_yield(signal_crew_op(w)), 1);
    IS(test_end(of(w)->waiter), 0);
    IS(of(w)->words[0], 5);
}

static void nothing_to_close(struct world *w)
{
    (void)w;
}

#define PASSING .size = sizeof(struct passing)

static const struct subject subjects[] = {
    {"receive", PASSING, .open = channel_open, .op = receive_op, .cause = send_number,
     .got = received, .lost = nothing_received, .close = channel_close},
    {"receive_many", PASSING, .open = channel_open, .op = receive_many_op,
     .cause = send_number, .got = received_many, .lost = nothing_received,
     .close = channel_close},
    {"send", PASSING, .open = full_open, .op = send_op, .cause = take_one,
     .check = send_check, .close = channel_close},
    {"run_on", PASSING, .open = worker_open, .op = run_on_op, .cause = set_event,
     .check = run_on_check, .close = nothing_to_close},
    {"run_on_each", PASSING, .open = crew_open, .op = run_on_each_op, .cause = set_event,
     .check = run_on_each_check, .close = nothing_to_close},
    {"signal_crew", PASSING, .flags = ITSELF, .open = listener_open, .op = signal_crew_op,
     .cause = comes_by_itself, .check = signal_crew_check, .close = nothing_to_close},
};

const struct family pairs_threads = {subjects, COUNT(subjects)};
