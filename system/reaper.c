/* SPDX-License-Identifier: MIT */
/* A thread for each child that could not be killed (it has become another user, say): the
 * program is done with it, but it is still our child. There are hardly ever any, so a
 * thread that only waits is cheap enough. */
#include "config.h"

#include "system/reaper.h"

#include "lib/base/thread.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

static void *wait_for(void *arg)
{
    siginfo_t info;

    while (waitid(P_PID, (id_t)(intptr_t)arg, &info, WEXITED) < 0 && errno == EINTR)
        continue;
    return NULL;
}

void cg__reaper_take(pid_t pid)
{
    cg__thread_start(wait_for, (void *)(intptr_t)pid);
}
