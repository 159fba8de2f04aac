/* SPDX-License-Identifier: MIT */
/* Notices that a clock shows a moment or was set, on systems that have them (timerfd). */
#ifndef COGEN_SYSTEM_CLOCK_NOTICE_H
#define COGEN_SYSTEM_CLOCK_NOTICE_H

#include <cogen/clock.h>

#include <time.h>

/* Returns a descriptor that becomes readable when the clock shows the moment, in ns, and
 * when somebody sets the clock. The caller closes it. Returns -1 if there are no notices
 * here. */
int cg__clock_notice_open(clockid_t clock, int64_t moment);

#endif
