/* SPDX-License-Identifier: MIT */
/* See peer.h. */
#include "config.h"

#include "lib/base/network.h"
#include "http/server/peer.h"

#include <errno.h>
#include <string.h>

int cg__http_peer_find(struct cg__http_conn *conn, const char **peer)
{
    char addr[CG_ADDR_SIZE];
    int rc = 0;

    if (conn->peer == NULL) {
        rc = conn->sock != NULL ? cg_sock_peer_addr(conn->sock, addr, sizeof addr) : -EBADF;
        if (rc == 0)
            conn->peer = strdup(cg__network_host(addr));
        if (rc == 0 && conn->peer == NULL)
            rc = -ENOMEM;
    }
    *peer = conn->peer;
    return rc < 0 ? rc : 0;
}
