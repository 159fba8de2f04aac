/* SPDX-License-Identifier: MIT */
/* Takes a pending SIGPIPE by sigtimedwait with a timeout of 0. */
#include "config.h"

#include "lib/base/sigpipe.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

void cg__sigpipe_take(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    while (sigtimedwait(&set, NULL, &(struct timespec){0}) < 0 && errno == EINTR)
        continue;
}
