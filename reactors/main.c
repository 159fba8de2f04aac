/* SPDX-License-Identifier: MIT */
/* A whole run in one call. It stands here because lib/ knows no backend. */
#include "config.h"

#include <cogen/reactor.h>
#include <cogen/sched.h>

#include <errno.h>
#include <stdio.h>

ssize_t cg_main(const char *reactor_name, cg_fn *fn, void *arg)
{
    struct cg_reactor *reactor;
    struct cg_sched *sched;
    struct cg_coro *coro;
    ssize_t rc = cg_reactor_open(reactor_name, &reactor);

    if (rc < 0)
        return rc;
    rc = -ENOMEM;
    if ((sched = cg_sched_new(reactor)) == NULL)
        goto close_reactor;
    if ((rc = cg_start(sched, fn, arg, .name = "main", .coro = &coro)) < 0)
        goto free_sched;
    if ((rc = cg_run(sched)) >= 0 && cg_coro_state(coro) == CG_CORO_FINISHED)
        rc = cg_coro_result(coro);
    else if (rc >= 0 && cg_stopped(sched))
        rc = -ECANCELED;
    else if (rc >= 0) {
        fprintf(stderr, "cogen: deadlock\n");
        cg_coro_dump(sched, stderr);
        rc = -EDEADLK;
    }
    cg_unref(coro);
free_sched:
    cg_sched_free(sched);
close_reactor:
    cg_reactor_close(reactor);
    return rc;
}
