/* SPDX-License-Identifier: MIT */
/* A wake by a pipe. */
#include "config.h"

#include "lib/base/pipe.h"
#include "reactors/calls.h"
#include "reactors/readiness/wake.h"

int cg__wake_open(int *in, int *out)
{
    int ends[2], rc = cg__pipe_open(ends);

    if (rc < 0)
        return rc;
    cg__calls_set_nonblocking(ends[0]);
    cg__calls_set_nonblocking(ends[1]);
    *in = ends[0];
    *out = ends[1];
    return 0;
}
