/* SPDX-License-Identifier: MIT */
/* How often this process has come out of a fork(): see fork.h. */
#include "config.h"

#include "lib/base/fork.h"

#include <pthread.h>
#include <unistd.h>

atomic_uint cg__fork_counter;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_int counted; /* the process that the count is of */

static void in_child(void)
{
    atomic_fetch_add_explicit(&cg__fork_counter, 1, memory_order_relaxed);
    atomic_store(&counted, (int)getpid());
}

static void watch(void)
{
    atomic_store(&counted, (int)getpid());
    pthread_atfork(NULL, NULL, in_child); /* without memory for it a fork is not noticed */
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
