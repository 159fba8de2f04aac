/* SPDX-License-Identifier: MIT */
/* cg_sock_peer_credentials. */
#include "config.h"

#include "sockets/sock.h"

#include <errno.h>

int cg_sock_peer_credentials(struct cg_sock *sock, struct cg_credentials *who)
{
    struct cg_io io = {.code = CG_IO_CREDENTIALS};
    ssize_t result;

    if (sock->closing)
        return -EBADF;
    if (!cg__sock_is_unix(sock))
        return -EOPNOTSUPP;
    if (sock->listener)
        return -ENOTCONN;
    io.value = who;
    io.size = sizeof *who;
    result = cg__sock_call(cg__sock_bottom(sock), &io);
    return result < 0 ? (int)result : 0;
}
