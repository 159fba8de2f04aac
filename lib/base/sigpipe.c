/* SPDX-License-Identifier: MIT */
/* Writing without being killed by SIGPIPE. send has MSG_NOSIGNAL. But write, writev,
 * sendfile and stdio raise SIGPIPE in the calling thread when the reading end is closed.
 * So the thread blocks the signal during the call, and then takes the one that the call
 * raised. A program that ignores SIGPIPE is spared that during its runs.
 *
 * Why the library does not ignore SIGPIPE: the disposition belongs to the program, and the
 * programs that it starts inherit it. Why it does not block it for the whole run: threads
 * and programs started from coroutines would inherit the mask. */
#include "config.h"

#include <cogen/os_signal.h>

#include "lib/base/sigpipe.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

enum {
    WAS_BLOCKED = 1,
    WAS_PENDING = 2, /* this SIGPIPE is not ours: it must stay pending */
    HARMLESS = 4,    /* nothing was blocked, because the program ignores it */
};

/* Of a thread whose scheduler runs: the program ignored SIGPIPE when the run began. */
static __thread bool harmless CG__THREAD_MODEL;

static atomic_bool handled; /* the library has a handler for it, or had one */

static const sigset_t *sigpipe(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGPIPE);
    return set;
}

/* A signal that is blocked is kept pending although it is ignored. */
void cg__sigpipe_run_begins(void)
{
    struct sigaction action;
    sigset_t mask;

    harmless = sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_IGN &&
               pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0 &&
               !sigismember(&mask, SIGPIPE);
}

void cg__sigpipe_handle(void)
{
    atomic_store(&handled, true);
}

void cg__sigpipe_run_ends(void)
{
    harmless = false;
}

int cg_sigpipe_block(void)
{
    sigset_t set, before;

    if (harmless && !atomic_load_explicit(&handled, memory_order_relaxed))
        return HARMLESS;
    pthread_sigmask(SIG_BLOCK, sigpipe(&set), &before);
    if (!sigismember(&before, SIGPIPE))
        return 0;
    if (sigpending(&set) == 0 && sigismember(&set, SIGPIPE))
        return WAS_BLOCKED | WAS_PENDING;
    return WAS_BLOCKED;
}

void cg_sigpipe_unblock(int before, bool failed)
{
    sigset_t set;

    if (before & HARMLESS)
        return;
    if (failed && !(before & WAS_PENDING))
        cg__sigpipe_take();
    if (!(before & WAS_BLOCKED))
        pthread_sigmask(SIG_UNBLOCK, sigpipe(&set), NULL);
}
