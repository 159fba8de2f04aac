/* SPDX-License-Identifier: MIT */
/* Listeners to OS signals (os_listener.c). */
#ifndef COGEN_SYSTEM_OS_LISTENER_H
#define COGEN_SYSTEM_OS_LISTENER_H

#include <cogen/os_signal.h>
#include <cogen/sched.h>

/* After each delivery of listener->signo, listener->note(listener, &info), if that is set, is
 * called for those whose details are known, and then listener->fn(listener,
 * deliveries), in the scheduler's thread, outside any coroutine. fn may remove any listener.
 * Returns 0, -EINVAL or -ENOMEM. */
int cg__os_listener_add(struct cg_os_listener *listener, struct cg_sched *sched);

/* Calls the listeners of the scheduler for what has been delivered and not told yet. */
void cg__os_listener_hear(struct cg_os_listener *listener);

/* Removes a listener. When a signal's last listener is removed, the signal's previous
 * action is restored. */
void cg__os_listener_remove(struct cg_os_listener *listener);

#endif
