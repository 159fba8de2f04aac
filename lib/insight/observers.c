/* SPDX-License-Identifier: MIT */
/* The observers of schedulers: which of them the options ask for. */
#include "config.h"

#include "lib/insight/metrics.h"

int cg__observers_begin(struct cg_sched *sched)
{
    return sched->options.metrics ? cg__metrics_add(sched) : 0;
}
