/* SPDX-License-Identifier: MIT */
/* cg_main: a whole run in one call. It is here because lib/ knows no backend. */
#include "config.h"

#include "reactors/main.h"

#include <cogen/reactor.h>
#include <cogen/sched.h>

#include <errno.h>
#include <stdlib.h>

#include "lib/base/report.h"
#include "lib/insight/dump.h"
#include "lib/insight/dump_signal.h"
#include "lib/insight/dump_writer.h"

void cg__main_tell(ssize_t code)
{
    cg__report("the run failed: %s", cg_strerror(code));
}

void cg__main_tell_why_none(const char *name, int code)
{
    char why[256];

    if (!name)
        name = getenv("COGEN_REACTOR");
    if (!name || !*name) {
        cg__main_tell(code);
        return;
    }
    cg_reactor_why(name, code, why, sizeof why);
    cg__report("%s", why);
}

/* The result of a run after which `left` coroutines are left. If some can never go on, the
 * program has a bug; only here can it be reported, even if fn did not wait for them. */
ssize_t cg__main_outcome(struct cg_sched *sched, const struct cg_coro *coro, ssize_t left,
                         const char *who)
{
    bool ended = cg_coro_state(coro) == CG_CORO_FINISHED;

    if (left > 0 && !cg_sched_stopped(sched)) {
        cg__report("%s%s", who,
                   ended ? "these can never continue and are cancelled" : "deadlock");
        cg__dump_left(sched);
    }
    if (ended)
        return cg_coro_result(coro);
    return cg_sched_stopped(sched) ? -ECANCELED : -EDEADLK;
}

ssize_t cg_main(const char *reactor_name, cg_fn *fn, void *arg)
{
    struct cg_reactor *reactor;
    struct cg_sched *sched;
    struct cg_coro *coro;
    ssize_t rc;

    cg__dump_signal_install();
    if ((rc = cg_reactor_open(reactor_name, &reactor)) < 0) {
        cg__main_tell_why_none(reactor_name, (int)rc);
        return rc;
    }
    sched = cg_sched_new(reactor);
    rc = sched ? cg_sched_start(sched, fn, arg, .name = "main", .coro = &coro) : -ENOMEM;
    if (rc < 0) {
        cg__main_tell(rc);
    } else {
        rc = cg_sched_run(sched);
        if (rc < 0)
            cg__main_tell(rc);
        else
            rc = cg__main_outcome(sched, coro, rc, "");
        cg_coro_unref(coro);
    }
    cg_sched_free(sched);
    cg_reactor_close(reactor);
    cg__dump_writer_finish();
    return rc;
}
