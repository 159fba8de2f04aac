/* SPDX-License-Identifier: MIT */
/* cg_sock_peer_credentials. */
#include "config.h"

#include "sockets/sock.h"

#include <errno.h>

static bool is_unix(struct cg_sock *sock)
{
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    struct cg_io io = {.code = CG_IO_SOCKNAME};

    io.value = &name;
    io.size = sizeof name;
    return cg__sock_call(sock, &io) > 0 && name.ss_family == AF_UNIX;
}

int cg_sock_peer_credentials(struct cg_sock *sock, struct cg_credentials *who)
{
    struct cg_io io = {.code = CG_IO_CREDENTIALS};
    ssize_t result;

    if (sock->closing)
        return -EBADF;
    if (!is_unix(sock))
        return -EOPNOTSUPP;
    if (sock->listener)
        return -ENOTCONN;
    io.value = who;
    io.size = sizeof *who;
    result = cg__sock_call(cg__sock_bottom(sock), &io);
    return result < 0 ? (int)result : 0;
}
