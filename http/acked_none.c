/* SPDX-License-Identifier: MIT */
/* The kernel does not tell here what the peer has acknowledged. */
#include "config.h"

#include "http/acked.h"

uint64_t cg__http_acked_bytes(struct cg_sock *sock)
{
    (void)sock;
    return 0;
}
