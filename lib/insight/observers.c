/* SPDX-License-Identifier: MIT */
/* The observers of schedulers: which of them the options, or the environment, ask for. */
#include "config.h"

#include "lib/base/ascii.h"
#include "lib/base/environment.h"
#include "lib/base/report.h"
#include "lib/core/counts.h"
#include "lib/insight/hog.h"
#include "lib/insight/trace.h"

#include <pthread.h>

enum { HOG_MOST = 60 * 1000 }; /* of $COGEN_HOG, ms */

static int64_t hog_said; /* by $COGEN_HOG, ns */

static void read_environment(void)
{
    const char *text = cg__environment("COGEN_HOG");
    uint64_t ms;

    if (text == NULL || *text == '\0')
        return;
    if (cg__ascii_is_number(text, &ms) && ms <= HOG_MOST)
        hog_said = (int64_t)ms * CG_MILLISECOND;
    else
        cg__report("COGEN_HOG: \"%s\" is not a number of milliseconds, up to %d", text,
                   HOG_MOST);
}

static int64_t hog_limit(const struct cg_sched_options *options)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (options->hog)
        return options->hog;
    pthread_once(&once, read_environment);
    return hog_said;
}

int cg__observers_begin(struct cg_sched *sched)
{
    int64_t limit = hog_limit(&sched->options);
    int rc = sched->options.metrics ? cg__counts_begin(sched) : 0;

    if (rc == 0)
        rc = cg__trace_begin(sched);
    return rc == 0 && limit > 0 ? cg__hog_add(sched, limit) : rc;
}
