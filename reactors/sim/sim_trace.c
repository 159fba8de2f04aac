/* SPDX-License-Identifier: MIT */
/* Chance and trace of the simulated world: the only source of randomness, and the lines
 * that report what happened. */
#include "config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "reactors/sim/sim.h"

/* SplitMix64 by Steele, Lea and Flood. */
static uint64_t draw(struct cg_sim *sim)
{
    uint64_t z = sim->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* The bias of the remainder does not matter here. */
uint64_t cg__sim_below(struct cg_sim *sim, uint64_t below)
{
    return draw(sim) % below;
}

bool cg__sim_chance(struct cg_sim *sim, unsigned permille)
{
    return permille > 0 && cg__sim_below(sim, 1000) < permille;
}

uint64_t cg_sim_random(struct cg_reactor *reactor, uint64_t below)
{
    assert(below > 0);
    return cg__sim_below(cg__sim_of(reactor), below);
}

void cg__sim_note(struct cg_sim *sim, int fd, const char *format, ...)
{
    char line[256], handle[16] = "-"; /* not accepted yet */
    va_list args;
    int n;

    if (!sim->tracer)
        return;
    if (fd >= 0)
        snprintf(handle, sizeof handle, "%d", fd);
    n = snprintf(line, sizeof line, "%lld.%09lld %s ",
                 (long long)(sim->now / CG_SECOND), (long long)(sim->now % CG_SECOND),
                 handle);
    va_start(args, format);
    vsnprintf(line + n, sizeof line - (size_t)n, format, args);
    va_end(args);
    sim->tracer(sim->tracer_arg, line);
}

void cg_sim_trace(struct cg_reactor *reactor, cg_sim_tracer *tracer, void *arg)
{
    struct cg_sim *sim = cg__sim_of(reactor);

    sim->tracer = tracer;
    sim->tracer_arg = arg;
}

void cg_sim_print(void *stdio_file, const char *line)
{
    fprintf(stdio_file, "%s\n", line);
}

void cg__sim_note_result(struct cg_sim *sim, const struct cg_io *io, ssize_t result)
{
    static const char *const names[] = {
        [CG_IO_RECV] = "recv",     [CG_IO_SEND] = "send",
        [CG_IO_SENDV] = "sendv",   [CG_IO_SENDFILE] = "sendfile",
        [CG_IO_ACCEPT] = "accept", [CG_IO_CONNECT] = "connect",
        [CG_IO_POLL] = "poll",     [CG_IO_RECV_DATAGRAMS] = "recv datagrams",
        [CG_IO_SEND_DATAGRAMS] = "send datagrams",
        [CG_IO_RECV_FDS] = "recv fds", [CG_IO_SEND_FDS] = "send fds",
        [CG_IO_SPLICE_IN] = "splice in", [CG_IO_SPLICE_OUT] = "splice out",
    };

    if (!sim->tracer || io->code > CG_IO_POLL)
        return;
    if (result < 0)
        cg__sim_note(sim, io->fd, "%s: %s", names[io->code], cg_strerror(result));
    else
        cg__sim_note(sim, io->fd, "%s = %zd", names[io->code], result);
}
