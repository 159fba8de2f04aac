/* SPDX-License-Identifier: MIT */
/* The credentials of a UNIX socket's peer, by getpeereid (BSD, macOS). */
#include "config.h"

#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

#include <cogen/sock.h>

#include "reactors/calls.h"

int cg__calls_credentials(int fd, struct cg_credentials *who)
{
    who->pid = 0;
    return getpeereid(fd, &who->uid, &who->gid) < 0 ? -errno : 0;
}
