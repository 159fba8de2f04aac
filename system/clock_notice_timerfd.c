/* SPDX-License-Identifier: MIT */
/* Notices of clocks by timerfd (Linux). */
#include "config.h"

#include "system/clock_notice.h"

#include <sys/timerfd.h>
#include <unistd.h>

int cg__clock_notice_open(clockid_t clock, int64_t moment)
{
    int flags = TFD_TIMER_ABSTIME | (clock == CLOCK_REALTIME ? TFD_TIMER_CANCEL_ON_SET : 0);
    struct itimerspec at = {
        .it_value = {.tv_sec = moment / CG_SECOND, .tv_nsec = moment % CG_SECOND}};
    int notice = timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC);

    if (notice >= 0 && timerfd_settime(notice, flags, &at, NULL) < 0) {
        close(notice);
        notice = -1;
    }
    return notice;
}
