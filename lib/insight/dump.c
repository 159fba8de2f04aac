/* SPDX-License-Identifier: MIT */
/* Dumps: examines the scheduler, then writes what was found, in one of two forms. */
#include "config.h"

#include "lib/insight/dump.h"

#include "lib/core/starter.h"
#include "lib/stacks/stack_use.h"
#include "lib/stacks/thread_stacks.h"
#include "lib/threads/pool.h"

#include <cogen/os_signal.h>
#include <cogen/reactor.h>

#include <errno.h>
#include <stdlib.h>

const struct cg__dump_count_name cg__dump_count_names[CG__DUMP_COUNTS] = {
    [CG__DUMP_COROUTINES] = {"coroutine", "coroutines"},
    [CG__DUMP_READY] = {"ready", "ready"},
    [CG__DUMP_TIMERS] = {"timer", "timers"},
    [CG__DUMP_SOCKETS] = {"socket", "sockets"},
    [CG__DUMP_BUFFERS] = {"input buffer", "input buffers"},
    [CG__DUMP_IDLE] = {"idle connection", "idle connections"},
    [CG__DUMP_GENERATORS] = {"generator", "generators"},
    [CG__DUMP_QUEUED] = {"function queued", "functions queued"},
    [CG__DUMP_RUNNING] = {"function in threads", "functions in threads"},
    [CG__DUMP_HOLDS] = {"hold", "holds"},
};

static void count(struct cg__dump *dump)
{
    struct cg_sched *sched = dump->survey.sched;
    size_t *counts = dump->counts, jobs[CG__JOB_RETURNED + 1];

    cg__offload_count(sched, jobs);
    counts[CG__DUMP_COROUTINES] = sched->count;
    counts[CG__DUMP_READY] = cg__ready_count(&sched->ready);
    counts[CG__DUMP_TIMERS] = sched->timers.count;
    counts[CG__DUMP_SOCKETS] = sched->socks;
    counts[CG__DUMP_BUFFERS] = sched->reactor->chunks_out;
    counts[CG__DUMP_IDLE] = cg__starter_waiting(sched);
    counts[CG__DUMP_GENERATORS] = cg__thread_stacks_used();
    counts[CG__DUMP_QUEUED] = jobs[CG__JOB_QUEUED];
    counts[CG__DUMP_RUNNING] = jobs[CG__JOB_RUNNING];
    counts[CG__DUMP_HOLDS] = sched->holds;
}

/* Notes the use of stack of one seen coroutine, or of several. If there are more functions
 * than places, the later ones are left out. */
static void add_function(struct cg__dump *dump, const struct cg__seen *seen)
{
    size_t size = cg_coro_stack_size(seen->coro);
    struct cg__dump_function *each = dump->functions;
    struct cg__dump_function *end = each + dump->nfunctions;

    while (each < end && each->fn != seen->coro->fn)
        each++;
    if (each == dump->functions + CG__DUMP_FUNCTIONS)
        return;
    if (each == end) {
        *each = (struct cg__dump_function){.fn = seen->coro->fn, .size = size};
        dump->nfunctions++;
    }
    each->count += seen->count;
    each->measured += seen->measured;
    if (seen->used > each->used)
        each->used = seen->used;
    if (size < each->size)
        each->size = size;
}

static int init(struct cg__dump *dump, struct cg_sched *sched, size_t limit)
{
    int rc = cg__survey_init(&dump->survey, sched, limit);

    if (rc < 0)
        return rc;
    if ((rc = cg__deadlock_find(&dump->survey, &dump->deadlock)) < 0) {
        cg__survey_free(&dump->survey);
        return rc;
    }
    dump->nfunctions = 0;
    for (size_t i = 0; i < dump->survey.count; i++)
        if (dump->survey.seen[i].like == 0)
            add_function(dump, &dump->survey.seen[i]);
    count(dump);
    return 0;
}

static void finish(struct cg__dump *dump)
{
    free(dump->deadlock.list);
    cg__survey_free(&dump->survey);
}

/* In memory of its own, for coroutines with small stacks. */
static struct cg__dump *make(struct cg_sched *sched, size_t limit)
{
    struct cg__dump *dump = malloc(sizeof *dump);

    if (dump && init(dump, sched, limit) < 0) {
        free(dump);
        return NULL;
    }
    return dump;
}

int cg_sched_dump_with(struct cg_sched *sched, FILE *out,
                       const struct cg_dump_options *options)
{
    struct cg__dump *dump = make(sched, options ? options->limit : 0);
    int before;

    if (dump == NULL)
        return -ENOMEM;
    before = cg_sigpipe_block();
    if (options && options->json)
        cg__dump_json(dump, out);
    else
        cg__dump_text(dump, out);
    fflush(out);
    cg_sigpipe_unblock(before, ferror(out));
    finish(dump);
    free(dump);
    return ferror(out) ? -EIO : 0;
}

void cg__dump_left(struct cg_sched *sched)
{
    struct cg__dump *dump = make(sched, 0);
    int before = cg_sigpipe_block();

    if (dump == NULL) {
        cg_coro_dump(sched, stderr);
    } else {
        flockfile(stderr);
        cg__dump_text_deadlocks(dump, stderr);
        cg__dump_text_stuck(dump, stderr);
        cg__dump_text_tree(dump, stderr);
        funlockfile(stderr);
        finish(dump);
        free(dump);
    }
    cg_sigpipe_unblock(before, ferror(stderr));
}
