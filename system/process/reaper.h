/* SPDX-License-Identifier: MIT */
/* Children for which the program does not wait any more. */
#ifndef COGEN_SYSTEM_REAPER_H
#define COGEN_SYSTEM_REAPER_H

#include <sys/types.h>

/* Starts a thread that waits for the end of this child, so that it leaves no zombie. If no
 * thread can be started, cg__reaper_retry takes care of the child later; if there is no
 * memory, the zombie stays until the program ends. */
void cg__reaper_take(pid_t pid);

/* Reaps the children for which no thread could be started, or starts one now. Called with
 * each process that is started and each child that is taken. */
void cg__reaper_retry(void);

#endif
