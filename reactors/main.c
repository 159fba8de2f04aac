/* SPDX-License-Identifier: MIT */
/* A whole run in one call. It stands here because lib/ knows no backend. */
#include "config.h"

#include <cogen/reactor.h>
#include <cogen/sched.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REACTORS_MAX = 16 };

/* Why there is no reactor of this name. A code says that it is not to be had, the table of
 * reactors says what is missing, and which there are. */
static void tell_why_none(const char *name, int code)
{
    struct cg_reactor_info info[REACTORS_MAX];
    size_t count = cg_reactor_list(info, REACTORS_MAX);

    if (count > REACTORS_MAX)
        count = REACTORS_MAX;
    for (size_t i = 0; i < count; i++)
        if (strcmp(info[i].name, name) == 0) {
            fprintf(stderr, "cogen: reactor %s is not available: %s\n", name,
                    info[i].why ? info[i].why : cg_strerror(code));
            return;
        }
    fprintf(stderr, "cogen: no reactor is called \"%s\"; there are", name);
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, " %s", info[i].name);
    fputc('\n', stderr);
}

/* What the run came to, `left` coroutines being left. That some can never go on is a mistake
 * of the program, and nobody else is there to say so, also if fn knows nothing of it. */
static ssize_t outcome(const struct cg_sched *sched, const struct cg_coro *coro,
                       ssize_t left)
{
    bool ended = cg_coro_state(coro) == CG_CORO_FINISHED;

    if (left > 0 && !cg_stopped(sched)) {
        fprintf(stderr, "cogen: %s\n",
                ended ? "these can never go on and are cancelled" : "deadlock");
        cg_coro_dump(sched, stderr);
    }
    if (ended)
        return cg_coro_result(coro);
    return cg_stopped(sched) ? -ECANCELED : -EDEADLK;
}

ssize_t cg_main(const char *reactor_name, cg_fn *fn, void *arg)
{
    struct cg_reactor *reactor;
    struct cg_sched *sched;
    struct cg_coro *coro;
    ssize_t rc = cg_reactor_open(reactor_name, &reactor);

    if (rc < 0) {
        const char *name = reactor_name ? reactor_name : getenv("COGEN_REACTOR");

        if (name && *name)
            tell_why_none(name, (int)rc);
        return rc;
    }
    rc = -ENOMEM;
    if ((sched = cg_sched_new(reactor)) == NULL)
        goto close_reactor;
    if ((rc = cg_start(sched, fn, arg, .name = "main", .coro = &coro)) < 0)
        goto free_sched;
    if ((rc = cg_run(sched)) >= 0)
        rc = outcome(sched, coro, rc);
    cg_unref(coro);
free_sched:
    cg_sched_free(sched);
close_reactor:
    cg_reactor_close(reactor);
    return rc;
}
