/* SPDX-License-Identifier: MIT */
/* The run of a world with several hosts, in one thread. Each host's program runs in a
 * generator, on a stack of its own, and is suspended where its reactor waits. So a program
 * may call cg_sched_run as it would in a thread of its own. The seed picks which of the
 * hosts that can go on does so; if none can, the clock moves. */
#include "config.h"

#include <assert.h>
#include <errno.h>

#include <cogen/coro.h>
#include <cogen/generator.h>
#include <cogen/sched.h>

#include "reactors/sim/sim.h"

static bool has_work(const struct cg_sim_host *host)
{
    return host->base.sched && cg_sched_timeout(host->base.sched) == 0;
}

/* Runs the host's scheduler, and again whenever it has been given work, until no host can
 * ever go on. */
static ssize_t run_sched(struct cg_sim_host *host)
{
    ssize_t left;

    do {
        left = cg_sched_run(host->base.sched);
        if (left < 0 || cg_sched_stopped(host->base.sched))
            break;
        host->resting = true;
        while (!has_work(host) && host->base.type->wait(&host->base, CG_NEVER) == 0)
            continue;
        host->resting = false;
    } while (has_work(host));
    return left;
}

/* The body of a host's generator. It yields in its waits and after each run. */
static ssize_t live(struct cg_gen *gen, void *arg)
{
    struct cg_sim_host *host = arg;

    do {
        host->begun = host->running = true;
        host->result = host->program ? host->program(host->arg) : run_sched(host);
        if (host->dead)
            cg_sched_free(host->base.sched);
        host->running = false;
    } while (cg_gen_yield(gen, NULL, NULL) >= 0);
    return 0;
}

int cg__sim_animate(struct cg_sim_host *host)
{
    if (!host->gen)
        host->gen = cg_gen_new(live, host, .name = "host");
    return host->gen ? 0 : -ENOMEM;
}

void cg__sim_start(struct cg_reactor *reactor, ssize_t (*program)(void *arg), void *arg)
{
    struct cg_sim_host *host = cg__sim_host_of(reactor);

    host->program = program;
    host->arg = arg;
}

bool cg__sim_in_turn(const struct cg_sim_host *host)
{
    return host->gen && cg_gen_self() == host->gen;
}

int cg__sim_let_others(struct cg_sim_host *host)
{
    cg_gen_yield(host->gen, NULL, NULL);
    if (!host->stuck)
        return 0;
    host->stuck = false;
    return -EDEADLK;
}

static bool can_go_on(const struct cg_sim_host *host)
{
    if (host->paused)
        return false;
    if (host->running)
        return host->touched.head || host->stuck || atomic_load(&host->woken) ||
               host->sim->now >= host->until;
    return !host->begun && (host->program || host->base.sched);
}

/* Picks the host whose turn it is; NULL: all are idle. */
static struct cg_sim_host *pick(struct cg_sim *sim)
{
    struct cg_sim_host *able[CG_SIM_HOSTS];
    unsigned count = 0;

    for (unsigned i = 0; i < CG_SIM_HOSTS; i++)
        if (sim->hosts[i] && can_go_on(sim->hosts[i]))
            able[count++] = sim->hosts[i];
    if (count < 2)
        return count ? able[0] : NULL;
    return able[cg__sim_below(sim, count)];
}

/* Moves the clock to the next event. False: nothing is in flight, and no host waits for a
 * moment. */
static bool move_clock(struct cg_sim *sim)
{
    int64_t next = cg__sim_next(sim);

    for (unsigned i = 0; i < CG_SIM_HOSTS; i++) {
        const struct cg_sim_host *host = sim->hosts[i];

        if (host && host->running && !host->paused && host->until < next)
            next = host->until;
    }
    if (next == CG_NEVER)
        return false;
    if (next > sim->now)
        sim->now = next;
    return true;
}

/* Tells hosts that wait that nothing will ever happen. False: there is none. */
static bool tell(struct cg_sim *sim, bool resting)
{
    bool any = false;

    for (unsigned i = 0; i < CG_SIM_HOSTS; i++)
        if (sim->hosts[i] && sim->hosts[i]->running && !sim->hosts[i]->paused &&
            sim->hosts[i]->resting == resting)
            any = sim->hosts[i]->stuck = true;
    return any;
}

static bool resume_all(struct cg_sim *sim)
{
    bool any = false;

    for (unsigned i = 0; i < CG_SIM_HOSTS; i++)
        if (sim->hosts[i] && sim->hosts[i]->paused) {
            sim->hosts[i]->paused = false;
            any = true;
        }
    return any;
}

/* Hosts that rest are told last: the others may still give them work. Hosts that are paused
 * for ever could not end. */
static bool give_up(struct cg_sim *sim)
{
    return tell(sim, false) || resume_all(sim) || tell(sim, true);
}

/* All hosts are idle. Returns false when the run has ended. */
static bool go_on(struct cg_sim *sim)
{
    bool waits = false;

    if (move_clock(sim))
        return true;
    if (!sim->opt.threads)
        return give_up(sim);
    for (unsigned i = 0; i < CG_SIM_HOSTS; i++)
        waits |= sim->hosts[i] && sim->hosts[i]->running && !sim->hosts[i]->resting &&
                 !sim->hosts[i]->paused;
    if (!waits)
        return give_up(sim);
    while (sem_wait(&sim->wakes) < 0)
        assert(errno == EINTR);
    return true;
}

/* Runs a host until it waits. Closes it if it was killed and has ended. */
static void take_turn(struct cg_sim_host *host)
{
    cg_gen_next(host->gen, NULL);
    if (host->dead && !host->base.sched)
        cg__sim_close_host(&host->base);
}

/* Returns the first failure, or the number of coroutines that are left. */
static ssize_t sum_up(const struct cg_sim *sim)
{
    ssize_t sum = 0;

    for (unsigned i = 0; i < CG_SIM_HOSTS && sum >= 0; i++)
        if (sim->hosts[i] && sim->hosts[i]->begun)
            sum = sim->hosts[i]->result < 0 ? sim->hosts[i]->result
                                            : sum + sim->hosts[i]->result;
    return sum;
}

ssize_t cg_sim_run(struct cg_reactor *world)
{
    struct cg_sim *sim = cg__sim_of(world);
    struct cg_sim_host *host;
    ssize_t sum;
    int rc;

    if (sim->running || cg_coro_self())
        return -EBUSY;
    if ((rc = cg__sim_animate(cg__sim_host_of(world))) < 0)
        return rc;
    sim->running = true;
    sim->host_count++;
    for (unsigned i = 0; i < CG_SIM_HOSTS; i++)
        if (sim->hosts[i])
            sim->hosts[i]->begun = false;
    do {
        cg__sim_deliver(sim);
        while ((host = pick(sim))) {
            take_turn(host);
            cg__sim_deliver(sim);
        }
    } while (go_on(sim));
    sim->running = false;
    sum = sum_up(sim);
    cg__sim_release(sim);
    return sum;
}
