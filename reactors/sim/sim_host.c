/* SPDX-License-Identifier: MIT */
/* Worlds and their hosts: how they are made and closed. All hosts of a world have one clock,
 * one network and one table of handles. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include <cogen/coro.h>
#include <cogen/generator.h>

#include "reactors/sim/sim.h"

enum {
    START = 1,    /* what the clock shows at first, s */
    DEPTH = 3,    /* the default of .depth */
    STEPS = 1000, /* and of .steps */
    OFFLOAD_TAKES = 20 * CG_MILLISECOND, /* the longest step of an offloaded function */
};

bool cg__sim_is_bad(const struct cg_sim_options *opt)
{
    return opt->latency < 0 || opt->jitter < 0 || opt->cost < 0 ||
           opt->latency > CG_NEVER / 8 || opt->jitter > CG_NEVER / 8 || opt->cost > CG_NEVER / 8 ||
           opt->short_permille > 1000 || opt->reset_permille > 1000 ||
           opt->lose_permille > 1000 || opt->double_permille > 1000 ||
           opt->reorder_permille > 1000 || opt->refuse_permille > 1000 ||
           opt->abort_permille > 1000 || opt->order > CG_ORDER_PCT ||
           opt->depth > CG_ORDER_DEPTH;
}

static struct cg_sim_host *host_of(const struct cg_order *order)
{
    return (struct cg_sim_host *)((char *)order - offsetof(struct cg_sim_host, order));
}

static size_t ask(const struct cg_order *order, uint64_t step, size_t count, size_t chosen)
{
    struct cg_sim_host *host = host_of(order);
    struct cg__sim_watch *watch = host->sim->watch;

    return watch->ask(watch, host->serial, step, count, chosen);
}

static void tell(const struct cg_order *order, const struct cg_coro *coro)
{
    struct cg_sim_host *host = host_of(order);

    cg__sim_note(host->sim, -1, "host %u runs %s", host->number, cg_coro_name(coro));
}

static void set_order(struct cg_sim_host *host)
{
    const struct cg_sim_options *opt = &host->sim->opt;

    if (opt->order == CG_ORDER_USUAL && !host->sim->watch)
        return;
    host->order = (struct cg_order){
        .kind = opt->order,
        .depth = opt->depth != 0 ? opt->depth : DEPTH,
        .steps = opt->steps != 0 ? opt->steps : STEPS,
        .seed = cg_sim_random(&host->base, UINT64_MAX),
        .ask = host->sim->watch && host->sim->watch->ask ? ask : NULL,
        .tell = host->sim->watch ? tell : NULL,
    };
    host->base.order = &host->order;
}

/* A thread may be free at once, or not for a while. */
static int64_t offload_takes(struct cg_reactor *reactor)
{
    return cg_sim_random(reactor, 2) ? (int64_t)cg_sim_random(reactor, OFFLOAD_TAKES) : 0;
}

/* Sets what depends on whether somebody follows the world. */
static void prepare(struct cg_sim_host *host)
{
    if (host->sim->watch && !host->sim->opt.threads)
        host->base.offload_takes = offload_takes;
    set_order(host);
}

/* Adds a host to a world that has room for it. */
static struct cg_sim_host *add_host(struct cg_sim *sim)
{
    struct cg_sim_host *host = calloc(1, sizeof *host);

    if (!host)
        return NULL;
    while (sim->hosts[host->number])
        host->number++;
    host->base.type = &cg__reactor_sim;
    host->base.fd = -1;
    host->base.simulated = true;
    host->base.lacks = cg__sim_lacks;
    host->base.name_server = sim->opt.name_server;
    host->sim = sim;
    host->serial = sim->made++;
    prepare(host);
    sim->hosts[host->number] = host;
    sim->host_count++;
    return host;
}

static int open_world(const struct cg_sim_options *opt, struct cg_sim **world)
{
    struct cg_sim *sim = calloc(1, sizeof *sim);

    if (!sim)
        return -ENOMEM;
    if (opt->threads && sem_init(&sim->wakes, 0, 0) < 0) { /* not every system has
                                                            * semaphores */
        int error = -errno;

        free(sim);
        return error;
    }
    sim->opt = *opt;
    if (sim->opt.window == 0)
        sim->opt.window = CG_SIM_WINDOW;
    sim->random = opt->seed;
    sim->now = START * CG_SECOND;
    *world = sim;
    return 0;
}

static void free_world(struct cg_sim *sim)
{
    assert(sim->socks == 0);
    if (sim->opt.threads)
        sem_destroy(&sim->wakes);
    free(sim->heap);
    free(sim->handles);
    free(sim->holes);
    free(sim);
}

void cg__sim_release(struct cg_sim *sim)
{
    if (--sim->host_count == 0)
        free_world(sim);
}

int cg_sim_open(const struct cg_sim_options *options, struct cg_reactor **reactor)
{
    static const struct cg_sim_options perfect;
    struct cg_sim_host *host;
    struct cg_sim *sim = NULL;
    int rc;

    if (!options)
        options = &perfect;
    if (cg__sim_is_bad(options))
        return -EINVAL;
    if ((rc = open_world(options, &sim)) < 0)
        return rc;
    if (!(host = add_host(sim))) {
        free_world(sim);
        return -ENOMEM;
    }
    *reactor = &host->base;
    return 0;
}

void cg__sim_watch(struct cg_reactor *world, struct cg__sim_watch *watch)
{
    struct cg_sim_host *host = cg__sim_host_of(world);

    host->sim->watch = watch;
    prepare(host);
}

int cg__sim_open(struct cg_reactor **reactor)
{
    return cg_sim_open(NULL, reactor);
}

int cg_sim_host(struct cg_reactor *world, struct cg_reactor **reactor)
{
    struct cg_sim *sim = cg__sim_of(world);
    struct cg_sim_host *host;
    int rc;

    if (sim->host_count - sim->running == CG_SIM_HOSTS)
        return -EMFILE;
    if ((rc = cg__sim_animate(cg__sim_host_of(world))) < 0)
        return rc;
    if (!(host = add_host(sim)))
        return -ENOMEM;
    if ((rc = cg__sim_animate(host)) < 0) {
        cg__sim_close_host(&host->base);
        return rc;
    }
    *reactor = &host->base;
    return 0;
}

size_t cg_sim_handles(const struct cg_reactor *reactor)
{
    const struct cg_sim *sim = cg__sim_of((struct cg_reactor *)reactor);

    return sim->handle_count - sim->hole_count;
}

/* What was passed on and not received yet stays with the world. */
static bool leave_in_flight(struct cg_sim_handle *handle)
{
    struct cg_sim_host *host = handle->host;

    for (unsigned i = 0; handle->in_flight && i < CG_SIM_HOSTS; i++)
        if (host->sim->hosts[i] && host->sim->hosts[i] != host) {
            cg__sim_handle_move(handle, host->sim->hosts[i]);
            return true;
        }
    return false;
}

/* Sockets that the program left open are closed silently. So are the requests of abandoned
 * coroutines: their memory may have been freed. */
void cg__sim_close_host(struct cg_reactor *reactor)
{
    struct cg_sim_host *host = cg__sim_host_of(reactor);
    struct cg_sim *sim = host->sim;

    if (sim->host_count == 1)
        sim->tracer = NULL;
    for (size_t i = 0; i < sim->handle_count; i++) {
        struct cg_sim_handle *handle = sim->handles[i];

        if (!handle || handle->host != host || leave_in_flight(handle))
            continue;
        handle->ios = NULL;
        cg__sim_handle_close(sim, handle);
    }
    cg__sim_serve_touched(host);
    cg__chunk_free_all(reactor);
    cg_gen_free(host->gen);
    sim->hosts[host->number] = NULL;
    for (unsigned i = 0; i < CG_SIM_HOSTS; i++)
        if (sim->hosts[i]) { /* the next host of that number can be heard */
            sim->hosts[i]->deaf &= ~(UINT64_C(1) << host->number);
            sim->hosts[i]->delays[host->number] = 0;
        }
    free(host);
    cg__sim_release(sim);
}
