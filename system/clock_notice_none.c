/* SPDX-License-Identifier: MIT */
/* Clocks on systems that have no notices of them: cg_wait_clock reads them again. */
#include "config.h"

#include "system/clock_notice.h"

int cg__clock_notice_open(clockid_t clock, int64_t moment)
{
    (void)clock;
    (void)moment;
    return -1;
}
