/* SPDX-License-Identifier: MIT */
/* Linux's splice. */
#include "config.h"

#include <fcntl.h>

#include "reactors/calls.h"

ssize_t cg__calls_splice(int from, int to, size_t count)
{
    ssize_t n;

    CG__CALLS_RETRY(n, splice(from, NULL, to, NULL, count, SPLICE_F_NONBLOCK));
    return cg__calls_result(n);
}
