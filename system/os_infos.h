/* SPDX-License-Identifier: MIT */
/* A ring of what came with signals, written by signal handlers. */
#ifndef COGEN_SYSTEM_OS_INFOS_H
#define COGEN_SYSTEM_OS_INFOS_H

#include <cogen/os_signal.h>

#include <stdatomic.h>

/* All zero at first. */
struct cg__os_infos {
    atomic_uint head, tail; /* the positions of the oldest one and of the next one */
    struct {
        atomic_bool full;
        struct cg_os_signal_info info;
    } slots[CG_OS_SIGNAL_INFOS];
};

/* Adds one; it is lost if the ring is full. From any number of signal handlers and threads. */
void cg__os_infos_put(struct cg__os_infos *infos, const struct cg_os_signal_info *info);

/* Takes the oldest one, and sets its position, which grows by 1 from one to the next. Returns
 * false if there is none. From one thread. */
bool cg__os_infos_take(struct cg__os_infos *infos, struct cg_os_signal_info *info,
                       unsigned *position);

#endif
