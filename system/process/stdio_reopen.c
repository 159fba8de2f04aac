/* SPDX-License-Identifier: MIT */
/* Opens a file again by /proc: on Linux that makes a new open file. */
#include "config.h"

#include "system/process/stdio.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* To open the controlling side of a pseudo-terminal again would make a new terminal. */
static bool controls_terminal(int fd)
{
    int number;

    return ioctl(fd, TIOCGPTN, &number) == 0;
}

static bool can_be_reopened(int fd)
{
    struct stat file;

    if (fstat(fd, &file) < 0)
        return false;
    return S_ISFIFO(file.st_mode) ||
           (S_ISCHR(file.st_mode) && isatty(fd) && !controls_terminal(fd));
}

int cg__stdio_reopen(int fd, int flags)
{
    char path[32];

    if (!can_be_reopened(fd))
        return -1;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, (flags & (O_ACCMODE | O_APPEND)) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}
