/* SPDX-License-Identifier: MIT */
/* Subjects that wait for processes. */
#include "tests/pairs/pairs.h"

#include <signal.h>

struct child {
    struct world w;
    struct cg_process *process;
    struct cg_output out;
    struct cg_event event;
    bool begun;
};

static void child_open(struct world *w)
{
    OK(cg_process_spawn(cg_sched_self(), ((char *[]){"cat", NULL}),
                        &((struct child *)w)->process, .in = CG_STDIO_PIPE,
                        .out = CG_STDIO_PIPE));
}

static void child_close(struct world *w)
{
    cg_process_close(((struct child *)w)->process);
}

static void child_shut(struct world *w)
{
    child_close(w);
    ((struct child *)w)->process = NULL;
}

static void child_cause(struct world *w)
{
    cg_process_kill(((struct child *)w)->process,
                    SIGTERM); /* a second one has no effect: the process has ended */
}

static void nothing(struct world *w)
{
    (void)w;
}

static struct cg_op *wait_op(struct world *w)
{
    return KEEP(w, cg_wait_process_op, cg_wait_process(((struct child *)w)->process));
}

static void wait_got(struct world *w, ssize_t answer)
{
    (void)w;
    IS(answer, CG_EXIT_SIGNAL + SIGTERM);
}

static struct cg_op *end_op(struct world *w)
{
    return KEEP(w, cg_end_process_op, cg_end_process(((struct child *)w)->process));
}

/* Whether or not the op has lost, the process ends, and has one result. */
static void end_check(struct world *w, ssize_t answer)
{
    ssize_t ended = OK(cg_yield(end_op(w)));

    if (!pairs_lost(answer))
        IS(answer, ended);
    if (ended != CG_EXIT_SIGNAL + SIGTERM)
        IS(ended, CG_EXIT_SIGNAL + SIGKILL);
    IS(cg_yield(wait_op(w)), ended);
}

static const char said[] = "what was said";

static struct cg_op *communicate_op(struct world *w)
{
    struct child *c = (struct child *)w;

    return KEEP(w, cg_communicate_op,
                cg_communicate(c->process, said, sizeof said - 1, .out = &c->out));
}

/* Partial: the output that has come is the first part of the whole, and the process has
 * ended. */
static void communicate_check(struct world *w, ssize_t answer)
{
    struct child *c = (struct child *)w;

    if (!pairs_lost(answer)) {
        IS(answer, 0);
        HOLDS(c->out.len == sizeof said - 1);
    }
    HOLDS(c->out.len <= sizeof said - 1);
    if (c->out.data)
        HOLDS(memcmp(c->out.data, said, c->out.len) == 0);
    free(c->out.data);
    if (cg_process_result(c->process) == -EBUSY) { /* never begun */
        HOLDS(pairs_lost(answer));
        OK(cg_yield(end_op(w)));
    }
}

static ssize_t waits(void *arg)
{
    struct child *c = arg;

    c->begun = true;
    cg_yield(cg_wait_event(&c->event));
    return 3;
}

static void event_cause(struct world *w)
{
    cg_event_set(&((struct child *)w)->event);
}

static struct cg_op *with_op(struct world *w)
{
    return KEEP(w, cg_call_with_process_op,
                cg_call_with_process(((struct child *)w)->process, waits, w));
}

/* If the function was called, the process has ended with it. */
static void with_check(struct world *w, ssize_t answer)
{
    struct child *c = (struct child *)w;

    if (!pairs_lost(answer)) {
        IS(answer, 3);
        HOLDS(c->begun);
    }
    if (c->begun)
        HOLDS(cg_process_result(c->process) != -EBUSY);
    OK(cg_yield(end_op(w)));
}

/* A successor that ends before it is ready. Two restarts at a time are not allowed. */
static void restart_open(struct world *w)
{
    (void)w;
}

static struct cg_op *restart_op(struct world *w)
{
    static char *argv[] = {"true", NULL};

    return KEEP(w, cg_restart_op, cg_restart(argv));
}

static void restart_check(struct world *w, ssize_t answer)
{
    HOLDS(pairs_lost(answer) || answer == -EPIPE || answer == -EBUSY);
    IS(cg_yield(restart_op(w)), -EPIPE);
}

#define CHILD                                                                          \
    .size = sizeof(struct child), .where = ON_KERNEL, .open = child_open,              \
    .close = child_close

static const struct subject subjects[] = {
    {"wait_process", CHILD, .flags = SLOW, .op = wait_op, .cause = child_cause,
     .got = wait_got, .shut = child_shut},
    {"end_process", CHILD, .flags = SLOW | ITSELF, .op = end_op, .cause = nothing,
     .check = end_check, .shut = child_shut},
    {"call_with_process", CHILD, .flags = SLOW, .op = with_op, .cause = event_cause,
     .check = with_check, .shut = child_shut},
    {"restart", .size = sizeof(struct world), .where = ON_KERNEL, .flags = SELDOM | ITSELF,
     .open = restart_open, .op = restart_op, .cause = nothing, .check = restart_check,
     .close = restart_open},
    {"communicate", CHILD, .flags = SLOW | ITSELF, .op = communicate_op,
     .cause = nothing, .check = communicate_check},
};

const struct family pairs_processes = {subjects, COUNT(subjects)};
