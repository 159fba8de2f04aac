/* SPDX-License-Identifier: MIT */
/* Children that nobody waits for any more. */
#ifndef COGEN_SYSTEM_REAPER_H
#define COGEN_SYSTEM_REAPER_H

#include <sys/types.h>

/* Has a thread wait for the end of this child, whenever that is, so that it leaves no
 * zombie. If no thread can be started the zombie stays until the program ends. */
void cg__reaper_take(pid_t pid);

#endif
