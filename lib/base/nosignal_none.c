/* SPDX-License-Identifier: MIT */
/* Sockets have no option against SIGPIPE here. */
#include "config.h"

#include "lib/base/nosignal.h"

int cg__nosignal_set(int fd)
{
    (void)fd;
    return 0;
}
