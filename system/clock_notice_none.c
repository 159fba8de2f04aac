/* SPDX-License-Identifier: MIT */
/* For systems without notices of clocks: cg_wait_clock reads the clock again and again. */
#include "config.h"

#include "system/clock_notice.h"

int cg__clock_notice_open(clockid_t clock, int64_t moment)
{
    (void)clock;
    (void)moment;
    return -1;
}
