/* SPDX-License-Identifier: MIT */
/* Offloaded functions in a world that is followed (reactors/explore): no thread runs them, so
 * that a run can be repeated. The scheduler acts as if one did: it calls the function after a
 * time that the world chooses, and lets the result arrive after another. In between, the other
 * coroutines see what the function has done, and the operation can still be cancelled. */
#include "config.h"

#include "lib/threads/pool.h"

#include <stdlib.h>

static void set(struct cg__job *job, struct cg_sched *sched)
{
    int64_t takes = sched->reactor->offload_takes(sched->reactor);

    cg__timers_set(&sched->timers, &job->alarm.timer, sched->now + takes);
}

/* Nothing waits for the job any more. */
static void end(struct cg__job *job)
{
    if (job->abandon)
        job->abandon(job->arg);
    free(job);
}

static void step(struct cg__alarm *alarm, bool dropped)
{
    struct cg__job *job = (struct cg__job *)alarm;

    (void)dropped; /* a scheduler that is freed has left its jobs before it drops alarms */
    if (job->sched == NULL) {
        end(job);
    } else if (job->state == CG__JOB_RUNNING) {
        cg__offload_return(job);
    } else {
        job->state = CG__JOB_RUNNING;
        job->result = job->fn(job->arg);
        set(job, job->sched);
    }
}

void cg__acted_begin(struct cg__job *job)
{
    job->alarm = (struct cg__alarm){.timer.kind = CG__TIMER_ALARM, .fn = step};
    set(job, job->sched);
}

enum cg__job_state cg__acted_leave(struct cg__job *job, bool dropped)
{
    if (job->state == CG__JOB_QUEUED)
        cg__timers_cancel(&job->sched->timers, &job->alarm.timer);
    else if (job->abandon || dropped)
        job->sched = NULL;
    return job->state;
}
