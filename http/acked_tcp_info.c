/* SPDX-License-Identifier: MIT */
/* Reads how many bytes the TCP peer has acknowledged, by TCP_INFO. */
#include "config.h"

#include "http/acked.h"

#include <linux/tcp.h> /* glibc's own struct tcp_info ends before tcpi_bytes_acked */
#include <netinet/in.h>
#include <stddef.h>

uint64_t cg__http_acked_bytes(struct cg_sock *sock)
{
    struct tcp_info info;
    size_t size = sizeof info;

    if (cg_sock_getopt(sock, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
        size >=
            offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked)
        return info.tcpi_bytes_acked;
    return 0;
}
