/* SPDX-License-Identifier: MIT */
/* Closes the socket under an operation at every moment (closing.h). */
#include "config.h"

#include "tests/support/closing.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>

enum way {
    ALONE,       /* yielded alone, no branch */
    RACED,       /* raced with a signal that does not come */
    LOSES,       /* the signal comes, then the socket is closed */
    LOSES_AFTER, /* the socket is closed, then the signal comes */
    CANCELLED,   /* cancelled from outside, then the socket is closed */
    WAYS
};

static const char *const ways[] = {"alone", "raced", "loses", "loses after", "cancelled"};

struct run {
    const struct closing *closing;
    enum way way;
    unsigned step;
    struct cg_coro *racer;
    ssize_t answer;
    bool answered, early, closed; /* early: closed before the op completed */
};

static ssize_t races(void *arg)
{
    struct run *run = arg;
    long double room[CLOSING_ROOM / sizeof(long double)];
    struct cg_op *op = run->closing->op(run->closing->arg, room);

    if (run->way == ALONE || run->way == CANCELLED) {
        run->answer = cg_yield(op);
    } else {
        cg_yield(cg_any((op, cg_wait_signal(run, NULL, .timeout = CG_NEVER))));
        run->answer = cg_op_result(op);
    }
    run->answered = true;
    return 0;
}

static ssize_t closes(void *arg)
{
    struct run *run = arg;

    for (unsigned i = 0; i < run->step; i++) {
        IS(cg_yield(cg_pass()), 0);
        if (run->closing->slowly)
            IS(cg_yield(cg_sleep(1)), 0);
    }
    if (run->way == LOSES)
        cg_yield(cg_signal(run, NULL, .prio = CG_PRIO_CORO));
    if (run->way == CANCELLED)
        cg_coro_cancel(run->racer);
    run->early = !run->answered;
    run->closed = run->early && run->closing->close != NULL;
    if (run->closed)
        run->closing->close(run->closing->arg);
    if (run->way == LOSES_AFTER)
        cg_yield(cg_signal(run, NULL, .prio = CG_PRIO_CORO));
    return 0;
}

static void run(struct run *run)
{
    struct cg_coro *closer;
    char label[80];

    snprintf(label, sizeof label, ": %s, step %u", ways[run->way], run->step);
    test_label(label);
    run->closing->open(run->closing->arg);
    run->racer = test_start(races, run);
    closer = test_start(closes, run); /* at step 0 it runs before any branch does */
    test_end(run->racer);
    IS(test_end(closer), 0);
    if (run->closed)
        ck_assert_int_lt(run->answer, 0);
    if (run->closed && (run->way == ALONE || run->way == RACED))
        IS(run->answer, -EBADF);
    run->closing->end(run->closing->arg, run->answer, run->closed);
    test_label("");
}

void closing_at_any_time(const struct closing *closing)
{
    for (int way = ALONE; way < WAYS; way++) {
        struct run r = {.early = true};

        for (unsigned step = 0; step < closing->steps && r.early; step++) {
            r = (struct run){.closing = closing, .way = way, .step = step};
            run(&r);
        }
    }
}
