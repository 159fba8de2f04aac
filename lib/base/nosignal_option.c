/* SPDX-License-Identifier: MIT */
/* Sockets that never raise SIGPIPE (BSD, macOS). */
#include "config.h"

#include "lib/base/nosignal.h"

#include <errno.h>
#include <sys/socket.h>

int cg__nosignal_set(int fd)
{
    return setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){1}, sizeof(int)) < 0 ? -errno : 0;
}
