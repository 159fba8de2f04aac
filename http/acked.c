/* SPDX-License-Identifier: MIT */
/* Progress of writes, by the bytes that the peer has acknowledged. See acked.h. */
#include "config.h"

#include "http/acked.h"

#include <errno.h>

enum { LOOKS = 4 }; /* checks within a timeout */

int64_t cg__http_acked_wait(int64_t timeout)
{
    return timeout == CG_NEVER || timeout < LOOKS ? timeout : timeout / LOOKS;
}

bool cg__http_acked_go_on(struct cg__http_acked *seen, struct cg_sock *sock, size_t moved)
{
    uint64_t now = cg__http_acked_bytes(sock);
    bool progress = seen->acked != 0 && now != seen->acked;

    /* If bytes were moved, the wait that has just ended is the first without progress. */
    if (moved > 0)
        seen->stalled = 0;
    seen->stalled = progress ? 0 : seen->stalled + 1;
    seen->acked = now;
    return seen->stalled < LOOKS;
}

ssize_t cg__http_acked_writev(struct cg_sock *sock, struct iovec *parts, int count, int64_t wait,
                              bool more)
{
    struct cg__http_acked seen = {.acked = 0};
    size_t moved;
    ssize_t n;

    do
        n = cg_yield(cg_writev(sock, parts, count, .moved = &moved, .weak_timeout = true,
                               .timeout = wait, .more = more));
    while (n == -ETIMEDOUT && cg__http_acked_go_on(&seen, sock, moved));
    return n;
}
