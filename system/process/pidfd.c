/* SPDX-License-Identifier: MIT */
/* Descriptors of processes: Linux 5.3. Called by number, since the C library may lack it. */
#include "config.h"

#include "system/process/pidfd.h"

#include <sys/syscall.h>
#include <unistd.h>

int cg__pidfd_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}
