/* SPDX-License-Identifier: MIT */
/* A pipe that is close-on-exec from the start. */
#include "config.h"

#include "lib/base/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int cg__pipe_open(int ends[2])
{
    return pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
}
