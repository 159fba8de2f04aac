/* SPDX-License-Identifier: MIT */
/* Several hosts in one simulated world: see hosts.h. */
#include "config.h"

#include "tests/support/hosts.h"

void hosts_add(struct hosts *hosts, unsigned place)
{
    struct cg_sched *sched;

    if (place > 0)
        MUST_HOLD(cg_sim_host(hosts->reactor[0], &hosts->reactor[place]) == 0);
    hosts->sched[place] = sched = cg_sched_new(hosts->reactor[place]);
    MUST_HOLD(sched != NULL);
    if (place == hosts->count)
        hosts->count++;
}

void hosts_open(struct hosts *hosts, unsigned count, const struct cg_sim_options *options)
{
    *hosts = (struct hosts){.count = 0};
    MUST_HOLD(cg_sim_open(options, &hosts->reactor[0]) == 0);
    for (unsigned i = 0; i < count; i++)
        hosts_add(hosts, i);
}

void hosts_start(struct hosts *hosts, unsigned place, cg_fn *fn, void *arg)
{
    MUST_HOLD(cg_sched_start(hosts->sched[place], fn, arg) == 0);
}

void hosts_run(struct hosts *hosts)
{
    ssize_t left = cg_sim_run(hosts->reactor[0]);

    if (left == 0)
        return;
    for (unsigned i = 0; i < hosts->count; i++)
        if (hosts->sched[i])
            cg_coro_dump(hosts->sched[i], stderr);
    ck_abort_msg("cg_sim_run: %zd", left);
}

void hosts_close(struct hosts *hosts)
{
    MUST_HOLD(cg_sim_handles(hosts->reactor[0]) == 0);
    for (unsigned i = hosts->count; i-- > 0;) {
        if (!hosts->sched[i])
            continue;
        cg_sched_free(hosts->sched[i]);
        cg_reactor_close(hosts->reactor[i]);
    }
}
