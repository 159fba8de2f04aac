/* SPDX-License-Identifier: MIT */
/* A descriptor of the library's own that the reactor looks at while somebody wants to know;
 * for holders that are no operation, or that serve several. */
#ifndef COGEN_SYSTEM_WATCH_H
#define COGEN_SYSTEM_WATCH_H

#include <cogen/reactor.h>
#include <cogen/sched.h>

struct cg__watch {
    struct cg_sched *sched;
    int fd;
    /* It is readable (events), or the reactor failed (-errno). Nobody wants to know any
     * more. */
    void (*ready)(struct cg__watch *watch, ssize_t events);
    /* Disarmed; the kernel has let go only now. */
    void (*idle)(struct cg__watch *watch);
    struct cg_io io;
    bool wanted;
};

/* Wants to know, and holds the run open. 0: ready will be called; events: it is readable
 * now, which ends the wish; -EOPNOTSUPP: this reactor knows no descriptors; -errno. */
ssize_t cg__watch_arm(struct cg__watch *watch);

/* Does not want to know any more. True: nobody holds it; false: idle will be called. */
bool cg__watch_disarm(struct cg__watch *watch);

/* Whether nobody holds it: it may be freed. */
bool cg__watch_is_idle(const struct cg__watch *watch);

/* Forgets and closes the descriptor; nobody holds it. */
void cg__watch_close(struct cg__watch *watch);

#endif
