/* SPDX-License-Identifier: MIT */
/* See standard.h. */
#include "config.h"

#include "lib/base/standard.h"

#include <fcntl.h>
#include <unistd.h>

/* A program that was confined by chroot(2) may lack /dev/null, but not the root directory, which
 * can be neither read as a file nor written. */
static int open_useless(int fd)
{
    int taken = open("/dev/null", (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC);

    return taken < 0 ? open("/", O_RDONLY | O_CLOEXEC) : taken;
}

/* open uses the lowest free number, so each gets its own, unless another thread was faster. */
void cg__standard_take_closed(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0) {
            int taken = open_useless(fd);

            if (taken > STDERR_FILENO)
                close(taken);
        }
}
