/* SPDX-License-Identifier: MIT */
/* Listeners to OS signals (os_listener.c). */
#ifndef COGEN_SYSTEM_OS_LISTENER_H
#define COGEN_SYSTEM_OS_LISTENER_H

#include <cogen/os_signal.h>
#include <cogen/sched.h>

/* After each delivery of listener->signo, listener->fn(listener, deliveries) is called in
 * the scheduler's thread, outside any coroutine. It may remove any listener. Returns 0,
 * -EINVAL or -ENOMEM. */
int cg__os_listener_add(struct cg_os_listener *listener, struct cg_sched *sched);

/* Removes a listener. When a signal's last listener is removed, the signal's previous
 * action is restored. */
void cg__os_listener_remove(struct cg_os_listener *listener);

#endif
