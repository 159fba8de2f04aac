/* SPDX-License-Identifier: MIT */
/* The library's own threads: see thread.h. */
#include "config.h"

#include "lib/base/thread.h"

#include <pthread.h>
#include <signal.h>

int cg__thread_start(void *(*fn)(void *arg), void *arg, size_t stack_size)
{
    pthread_attr_t attr;
    sigset_t all, before;
    pthread_t thread;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (stack_size > 0)
        pthread_attr_setstacksize(&attr, stack_size);
    rc = pthread_create(&thread, &attr, fn, arg);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}
