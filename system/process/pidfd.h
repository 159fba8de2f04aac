/* SPDX-License-Identifier: MIT */
/* Descriptors of processes, on systems that have them. */
#ifndef COGEN_SYSTEM_PROCESS_PIDFD_H
#define COGEN_SYSTEM_PROCESS_PIDFD_H

#include <cogen/process.h>

/* Returns a descriptor that is readable once the child has ended; -1: there is none, and
 * SIGCHLD must tell. */
int cg__pidfd_open(pid_t pid);

#endif
