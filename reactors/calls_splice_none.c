/* SPDX-License-Identifier: MIT */
/* For systems without splice. */
#include "config.h"

#include "reactors/calls.h"

ssize_t cg__calls_splice(int from, int to, size_t count)
{
    (void)from;
    (void)to;
    (void)count;
    return -ENOSYS;
}
