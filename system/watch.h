/* SPDX-License-Identifier: MIT */
/* A descriptor of the library's own that the reactor polls while somebody needs to know;
 * for holders that are no operation, or that serve several operations. */
#ifndef COGEN_SYSTEM_WATCH_H
#define COGEN_SYSTEM_WATCH_H

#include <cogen/reactor.h>
#include <cogen/sched.h>

struct cg__watch {
    struct cg_sched *sched;
    int fd;
    /* The descriptor is readable (events), or the reactor failed (-errno). It is
     * disarmed. */
    void (*ready)(struct cg__watch *watch, ssize_t events);
    /* Called when the reactor has released a disarmed watch, if it did not do so at
     * once. */
    void (*idle)(struct cg__watch *watch);
    struct cg_io io;
    bool wanted;
};

/* Polls the descriptor and holds the run open. Returns 0: ready will be called; events: it
 * is readable now, and not armed; -EOPNOTSUPP: this reactor has no descriptors of the
 * kernel; -errno. */
ssize_t cg__watch_arm(struct cg__watch *watch);

/* Stops. Returns true if the reactor has released it; false: idle will be called. */
bool cg__watch_disarm(struct cg__watch *watch);

/* Whether the reactor has released it, so that it may be freed. */
bool cg__watch_is_idle(const struct cg__watch *watch);

/* Makes the reactor forget the descriptor, which it must have released, and closes it. */
void cg__watch_close(struct cg__watch *watch);

#endif
