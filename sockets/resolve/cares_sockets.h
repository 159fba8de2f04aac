/* SPDX-License-Identifier: MIT */
/* The sockets of c-ares: made, watched and written to by us. */
#ifndef COGEN_SOCKETS_RESOLVE_CARES_SOCKETS_H
#define COGEN_SOCKETS_RESOLVE_CARES_SOCKETS_H

#include <cogen/reactor.h>
#include <cogen/sched.h>

#include <ares.h>

struct cg__cares_socket;

/* All sockets of one channel. */
struct cg__cares_sockets {
    struct cg_sched *sched;
    ares_channel channel;
    struct cg__cares_socket *first, **tail;
    unsigned extra; /* sockets that c-ares does not know of */
    bool broken;    /* the reactor cannot watch them: a simulated world */
    /* One of them is ready. */
    void (*woken)(struct cg__cares_sockets *sockets);
};

/* Called with the options of a channel that is about to be made; and with the channel. */
void cg__cares_sockets_prepare(struct cg__cares_sockets *sockets,
                               struct ares_options *options);
void cg__cares_sockets_attach(struct cg__cares_sockets *sockets, ares_channel channel);

/* Whether cg__cares_sockets_process has something to do. */
bool cg__cares_sockets_is_ready(struct cg__cares_sockets *sockets);

/* Has c-ares read and write whatever is ready, and watches all of them again. */
void cg__cares_sockets_process(struct cg__cares_sockets *sockets);

#endif
