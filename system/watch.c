/* SPDX-License-Identifier: MIT */
/* Watches a descriptor of the library's own (watch.h). */
#include "config.h"

#include "system/watch.h"

#include <assert.h>
#include <errno.h>
#include <unistd.h>

static void complete(struct cg_io *io, ssize_t result)
{
    struct cg__watch *watch = io->owner;

    cg_sched_unhold(watch->sched);
    if (!watch->wanted) {
        watch->idle(watch);
        return;
    }
    /* The watch was disarmed, and armed again before the kernel released the request. */
    if (result == -ECANCELED && (result = cg__watch_arm(watch)) == 0)
        return;
    watch->wanted = false;
    watch->ready(watch, result);
}

ssize_t cg__watch_arm(struct cg__watch *watch)
{
    struct cg_reactor *reactor = cg_sched_reactor(watch->sched);

    watch->wanted = true;
    if (watch->io.state != CG_IO_IDLE)
        return 0;
    watch->io = (struct cg_io){
        .code = CG_IO_POLL,
        .fd = watch->fd,
        .events = CG_IN,
        .complete = complete,
        .owner = watch,
    };
    if (cg_reactor_submit(reactor, &watch->io) == CG_PENDING) {
        cg_sched_hold(watch->sched);
        return 0;
    }
    watch->wanted = false;
    /* The descriptor is open, so a reactor that returns -EBADF has only handles of its
     * own. */
    return watch->io.result == -EBADF ? -EOPNOTSUPP : watch->io.result;
}

bool cg__watch_disarm(struct cg__watch *watch)
{
    struct cg_reactor *reactor = cg_sched_reactor(watch->sched);

    watch->wanted = false;
    if (watch->io.state == CG_IO_PENDING &&
        reactor->type->cancel(reactor, &watch->io) == CG_DONE)
        cg_sched_unhold(watch->sched);
    return cg__watch_is_idle(watch);
}

bool cg__watch_is_idle(const struct cg__watch *watch)
{
    return watch->io.state == CG_IO_IDLE;
}

void cg__watch_close(struct cg__watch *watch)
{
    struct cg_reactor *reactor = cg_sched_reactor(watch->sched);

    assert(cg__watch_is_idle(watch));
    if (watch->fd < 0)
        return;
    reactor->type->forget(reactor, watch->fd);
    close(watch->fd);
    watch->fd = -1;
}
