/* SPDX-License-Identifier: MIT */
/* A thread for each child that could not be killed, for example because it has become
 * another user. The program is done with it, but it is still our child. There are hardly
 * ever any, so a thread that only waits is cheap enough. */
#include "config.h"

#include "system/process/reaper.h"

#include "lib/base/thread.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>

/* A child that has no thread yet. */
struct orphan {
    struct orphan *next;
    pid_t pid;
};

/* A thread that works on the list takes all of it. So the list needs no lock, of which a
 * fork() in another thread could copy the locked state. */
static _Atomic(struct orphan *) orphans;

static void *wait_for(void *arg)
{
    siginfo_t info;

    while (waitid(P_PID, (id_t)(intptr_t)arg, &info, WEXITED) < 0 && errno == EINTR)
        continue;
    return NULL;
}

static void add(struct orphan *orphan)
{
    orphan->next = atomic_load(&orphans);
    while (!atomic_compare_exchange_weak(&orphans, &orphan->next, orphan))
        continue;
}

/* Reaps a child that has ended. True: it is reaped, or it is not ours. */
static bool reap(pid_t pid)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) < 0 ? errno == ECHILD
                                                                   : info.si_pid != 0;
}

void cg__reaper_retry(void)
{
    struct orphan *orphan = atomic_load(&orphans) ? atomic_exchange(&orphans, NULL) : NULL;

    while (orphan) {
        struct orphan *next = orphan->next;

        if (reap(orphan->pid) ||
            cg__thread_start(wait_for, (void *)(intptr_t)orphan->pid, 0) == 0)
            free(orphan);
        else
            add(orphan);
        orphan = next;
    }
}

void cg__reaper_take(pid_t pid)
{
    struct orphan *orphan;

    cg__reaper_retry();
    if (cg__thread_start(wait_for, (void *)(intptr_t)pid, 0) == 0)
        return;
    if ((orphan = malloc(sizeof *orphan))) {
        orphan->pid = pid;
        add(orphan);
    }
}
