/* SPDX-License-Identifier: MIT */
/* Progress of writes, by the bytes that the peer has acknowledged. See acked.h. */
#include "config.h"

#include "http/acked.h"

#ifdef HAVE_STRUCT_TCP_INFO_TCPI_BYTES_ACKED
#include <linux/tcp.h> /* glibc's own struct tcp_info ends before that member */
#endif
#include <netinet/in.h>
#include <stddef.h>

enum { LOOKS = 4 }; /* checks within a timeout */

int64_t cg__http_acked_wait(int64_t timeout)
{
    return timeout == CG_NEVER || timeout < LOOKS ? timeout : timeout / LOOKS;
}

/* Bytes that the peer has acknowledged on the connection so far; 0: not known, or not TCP.
 * (Other sockets are full only while their peer reads nothing.) */
static uint64_t acked(struct cg_sock *sock)
{
#ifdef HAVE_STRUCT_TCP_INFO_TCPI_BYTES_ACKED
    struct tcp_info info;
    size_t size = sizeof info;

    if (cg_sock_getopt(sock, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
        size >=
            offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked)
        return info.tcpi_bytes_acked;
#else
    (void)sock;
#endif
    return 0;
}

bool cg__http_acked_go_on(struct cg__http_acked *seen, struct cg_sock *sock, size_t moved)
{
    uint64_t now = acked(sock);
    bool progress = seen->acked != 0 && now != seen->acked;

    /* If bytes were moved, the wait that has just ended is the first without progress. */
    if (moved > 0)
        seen->stalled = 0;
    seen->stalled = progress ? 0 : seen->stalled + 1;
    seen->acked = now;
    return seen->stalled < LOOKS;
}
