/* SPDX-License-Identifier: MIT */
/* The sockets of c-ares, which we open, watch and write to. */
#ifndef COGEN_SOCKETS_RESOLVE_CARES_SOCKETS_H
#define COGEN_SOCKETS_RESOLVE_CARES_SOCKETS_H

#include <cogen/reactor.h>
#include <cogen/sched.h>

#include <ares.h>

struct cg__cares_socket;

/* All sockets of one c-ares channel. */
struct cg__cares_sockets {
    struct cg_sched *sched;
    ares_channel channel;
    struct cg__cares_socket *first, **tail;
    unsigned extra; /* sockets that c-ares does not know */
    bool broken;    /* the reactor cannot watch sockets: it is a simulated world */
    /* Called when a socket is ready. */
    void (*woken)(struct cg__cares_sockets *sockets);
};

/* The first is called with the options of a channel before it is made, the second with the
 * channel. */
void cg__cares_sockets_prepare(struct cg__cares_sockets *sockets,
                               struct ares_options *options);
void cg__cares_sockets_attach(struct cg__cares_sockets *sockets, ares_channel channel);

/* Whether cg__cares_sockets_process has work to do. */
bool cg__cares_sockets_is_ready(struct cg__cares_sockets *sockets);

/* Lets c-ares read and write what is ready, and watches all sockets again. */
void cg__cares_sockets_process(struct cg__cares_sockets *sockets);

#endif
