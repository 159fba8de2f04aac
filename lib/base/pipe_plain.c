/* SPDX-License-Identifier: MIT */
/* A pipe on systems without pipe2: a program that another thread starts before the flags
 * are set inherits the ends. */
#include "config.h"

#include "lib/base/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int cg__pipe_open(int ends[2])
{
    if (pipe(ends) < 0)
        return -errno;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
}
