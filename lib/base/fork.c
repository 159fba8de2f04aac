/* SPDX-License-Identifier: MIT */
/* Counts the forks between this process and the first one: see fork.h. */
#include "config.h"

#include "lib/base/fork.h"

#include <pthread.h>
#include <unistd.h>

atomic_uint cg__fork_counter;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int counted; /* the process for which the count is right */

static void in_child(void)
{
    atomic_fetch_add_explicit(&cg__fork_counter, 1, memory_order_relaxed);
    atomic_store(&counted, (int)getpid());
}

static void watch(void)
{
    atomic_store(&counted, (int)getpid());
    pthread_atfork(NULL, NULL, in_child); /* no memory for it: forks go unnoticed */
}

unsigned cg__fork_watch(void)
{
    pthread_once(&once, watch);
    return cg__fork_count();
}

bool cg__fork_is_new(void)
{
    return atomic_load(&counted) != (int)getpid();
}
