/* SPDX-License-Identifier: MIT */
/* The pending POLLs of a descriptor: a list, oldest first. */
#include "config.h"

#include <errno.h>

#include "reactors/readiness/fd.h"

enum { CHOSEN = 1 }; /* flag: to be checked in this round */

void cg__fd_add_poll(struct cg__fd *d, struct cg_io *io)
{
    io->next = NULL;
    if (d->polls) {
        io->prev = d->polls->prev;
        io->prev->next = io;
        d->polls->prev = io;
    } else {
        d->polls = io->prev = io;
    }
}

void cg__fd_remove_poll(struct cg__fd *d, struct cg_io *io)
{
    if (io->next)
        io->next->prev = io->prev;
    else
        d->polls->prev = io->prev;
    if (d->polls == io)
        d->polls = io->next;
    else
        io->prev->next = io->next;
}

void cg__fd_choose_polls(struct cg__fd *d)
{
    for (struct cg_io *io = d->polls; io; io = io->next)
        io->flag = CHOSEN;
}

struct cg_io *cg__fd_chosen_poll(struct cg__fd *d)
{
    for (struct cg_io *io = d->polls; io; io = io->next) {
        if (io->flag == CHOSEN) {
            io->flag = 0;
            return io;
        }
    }
    return NULL;
}
