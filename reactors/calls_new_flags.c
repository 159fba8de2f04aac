/* SPDX-License-Identifier: MIT */
/* New descriptors that have their flags from the start. */
#include "config.h"

#include "lib/base/nosignal.h"
#include "reactors/calls.h"

#include <sys/socket.h>
#include <unistd.h>

static int quiet(int fd)
{
    int error = cg__nosignal_set(fd);

    if (error == 0)
        return fd;
    close(fd);
    return error;
}

int cg__calls_socket(int domain, int type, int protocol)
{
    int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

    return fd < 0 ? -errno : quiet(fd);
}

int cg__calls_accept(int fd)
{
    int n;

    CG__CALLS_RETRY(n, accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (n >= 0)
        return quiet(n);
    if (cg__calls_is_missing(-errno))
        return cg__calls_plain_accept(fd);
    return (int)cg__calls_result(n);
}
