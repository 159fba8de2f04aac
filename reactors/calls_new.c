/* SPDX-License-Identifier: MIT */
/* New descriptors by calls that every system has. A program that another thread starts
 * before the flags are set inherits the descriptor. */
#include "config.h"

#include "lib/base/nosignal.h"
#include "reactors/calls.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static int prepared(int fd)
{
    int error = fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : cg__calls_set_nonblocking(fd);

    if (error == 0)
        error = cg__nosignal_set(fd);
    if (error == 0)
        return fd;
    close(fd);
    return error;
}

int cg__calls_plain_socket(int domain, int type, int protocol)
{
    int fd = socket(domain, type, protocol);

    return fd < 0 ? -errno : prepared(fd);
}

int cg__calls_plain_accept(int fd)
{
    int n;

    CG__CALLS_RETRY(n, accept(fd, NULL, NULL));
    return n < 0 ? (int)cg__calls_result(n) : prepared(n);
}
