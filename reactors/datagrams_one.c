/* SPDX-License-Identifier: MIT */
/* One datagram with each system call: for systems without recvmmsg and sendmmsg. */
#include "config.h"

#include "reactors/datagrams.h"

ssize_t cg__datagrams_receive_many(int fd, struct cg__message *messages, unsigned n, int flags)
{
    (void)n;
    return cg__datagrams_receive_one(fd, messages, flags);
}

ssize_t cg__datagrams_send_many(int fd, struct cg__message *messages, unsigned n, int flags)
{
    (void)n;
    return cg__datagrams_send_one(fd, messages, flags);
}
