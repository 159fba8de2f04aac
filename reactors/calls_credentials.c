/* SPDX-License-Identifier: MIT */
/* The credentials of a UNIX socket's peer, by SO_PEERCRED (Linux). */
#include "config.h"

#include <errno.h>
#include <sys/socket.h>

#include <cogen/sock.h>

#include "reactors/calls.h"

int cg__calls_credentials(int fd, struct cg_credentials *who)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return -errno;
    if (peer.uid == (uid_t)-1)
        return -ENOTCONN;
    *who = (struct cg_credentials){.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
    return 0;
}
