/* SPDX-License-Identifier: MIT */
/* For systems that do not tell the CPU time of another thread. */
#include "config.h"

#include "lib/insight/hog.h"

#include "lib/base/report.h"

#include <pthread.h>

static void tell(void)
{
    cg__report("hogs are not watched: this system does not tell the CPU time of threads");
}

int cg__hog_add(struct cg_sched *sched, int64_t limit)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)sched;
    (void)limit;
    pthread_once(&once, tell);
    return 0;
}
