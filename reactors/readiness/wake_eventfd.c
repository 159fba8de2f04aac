/* SPDX-License-Identifier: MIT */
/* A wake by eventfd: one descriptor, and wakes add up instead of filling it. */
#include "config.h"

#include "reactors/readiness/wake.h"

#include <errno.h>
#include <sys/eventfd.h>

int cg__wake_open(int *in, int *out)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    if (fd < 0)
        return -errno;
    *in = *out = fd;
    return 0;
}
