/* SPDX-License-Identifier: MIT */
/* cg_wait_clock: waits on another clock than the scheduler's. A descriptor of the system
 * reports that the clock shows the moment, or that somebody has set it; without one the
 * clock is read again and again. */
#include "config.h"

#include "system/clock_notice.h"

#include <cogen/any.h>
#include <cogen/coro.h>
#include <cogen/reactor.h>
#include <cogen/sched.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL CG_SECOND /* between two readings without a notice */

#ifndef CLOCK_BOOTTIME
#define CLOCK_BOOTTIME CLOCK_MONOTONIC
#endif

static clockid_t id_of(enum cg_clock clock)
{
    return clock == CG_CLOCK_WALL ? CLOCK_REALTIME : CLOCK_BOOTTIME;
}

int64_t cg_clock_now(struct cg_sched *sched, enum cg_clock clock)
{
    struct timespec ts;

    if (clock != CG_CLOCK_WALL && clock != CG_CLOCK_BOOT)
        return -EINVAL;
    if (sched != NULL && cg_sched_reactor(sched)->simulated)
        return cg_sched_now(sched);
    clock_gettime(id_of(clock), &ts);
    return ts.tv_sec * CG_SECOND + ts.tv_nsec;
}

/* Waits for at most `left` ns, or until the notice comes. Returns 0, or the code of a
 * cancellation. */
static ssize_t wait_some(int notice, int64_t left)
{
    struct cg_op *pause, *poll;
    ssize_t n;

    if (notice < 0)
        return cg_yield(cg_sleep(left < INTERVAL ? left : INTERVAL));
    pause = cg_sleep(left);
    poll = cg_poll(notice, CG_IN);
    n = cg_yield(cg_any((poll, pause)));
    return n == 0 ? cg_op_result(poll) : n;
}

static ssize_t wait_run(struct cg_op *op)
{
    struct cg_wait_clock_op *wait = (struct cg_wait_clock_op *)op;
    struct cg_sched *sched = cg_sched_self();
    bool real = !cg_sched_reactor(sched)->simulated;
    int64_t now;
    ssize_t n;

    while ((now = cg_clock_now(sched, wait->clock)) >= 0 && now < wait->moment) {
        int notice = real ? cg__clock_notice_open(id_of(wait->clock), wait->moment) : -1;

        n = wait_some(notice, wait->moment - now);
        if (notice >= 0)
            close(notice);
        if (n == -ECANCELED)
            return n;
        if (n < 0 && (n = wait_some(-1, wait->moment - now)) < 0)
            return n; /* the reactor cannot poll the notice */
    }
    return now < 0 ? (ssize_t)now : 0;
}

static int wait_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_wait_clock_op *wait = (const struct cg_wait_clock_op *)op;

    return snprintf(buf, size, "%s, until %" PRId64 " s",
                    wait->clock == CG_CLOCK_WALL ? "wall" : "boot",
                    wait->moment / CG_SECOND);
}

const struct cg_op_type cg_wait_clock_type = {
    .name = "wait_clock",
    .run = wait_run,
    .print = wait_print,
};
