/* SPDX-License-Identifier: MIT */
/* See standard.h. */
#include "config.h"

#include "lib/base/standard.h"

#include <fcntl.h>
#include <unistd.h>

/* open uses the lowest free number, so each gets its own, unless another thread was faster. */
void cg__standard_take_closed(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0) {
            int taken = open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC);

            if (taken > STDERR_FILENO)
                close(taken);
        }
}
