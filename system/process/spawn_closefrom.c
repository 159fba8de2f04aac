/* SPDX-License-Identifier: MIT */
/* For systems where the child can close all descriptors from a number on. */
#include "config.h"

#include "system/process/spawn.h"

#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc closes with close_range, or else with /proc. Without either the child could not be
 * started. */
static bool works(void)
{
    return syscall(SYS_close_range, UINT_MAX, UINT_MAX, 0) == 0 ||
           access("/proc/self/fd", R_OK | X_OK) == 0;
}

int cg__spawn_closefrom(posix_spawn_file_actions_t *actions, int from)
{
    return works() ? posix_spawn_file_actions_addclosefrom_np(actions, from) : ENOSYS;
}

bool cg__spawn_mark_range(int from)
{
    enum { CLOEXEC = 4 }; /* CLOSE_RANGE_CLOEXEC, which older headers lack */

    return syscall(SYS_close_range, (unsigned)from, UINT_MAX, CLOEXEC) == 0;
}
