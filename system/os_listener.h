/* SPDX-License-Identifier: MIT */
/* Who is told of the operating system's signals: see listener.c. */
#ifndef COGEN_SYSTEM_OS_LISTENER_H
#define COGEN_SYSTEM_OS_LISTENER_H

#include <cogen/os_signal.h>
#include <cogen/sched.h>

/* Has listener->fn(listener, deliveries) called, in the scheduler's thread and outside any
 * coroutine, after each delivery of listener->signo; the callee may remove any listener. 0,
 * -EINVAL, -ENOMEM. */
int cg__os_listener_add(struct cg_os_listener *listener, struct cg_sched *sched);

/* The last one of a signal brings back what was there before. */
void cg__os_listener_remove(struct cg_os_listener *listener);

#endif
