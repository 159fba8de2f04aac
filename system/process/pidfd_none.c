/* SPDX-License-Identifier: MIT */
/* For systems without descriptors of processes. */
#include "config.h"

#include "system/process/pidfd.h"

int cg__pidfd_open(pid_t pid)
{
    (void)pid;
    return -1;
}
