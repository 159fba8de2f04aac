/* SPDX-License-Identifier: MIT */
/* For systems where new descriptors cannot have flags from the start. */
#include "config.h"

#include "reactors/calls.h"

int cg__calls_socket(int domain, int type, int protocol)
{
    return cg__calls_plain_socket(domain, type, protocol);
}

int cg__calls_accept(int fd)
{
    return cg__calls_plain_accept(fd);
}
