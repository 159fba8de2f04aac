/* SPDX-License-Identifier: MIT */
/* Sends every datagram back to its sender, up to 16 at once.
 *     examples/udp_echo [--reactor NAME] [--listen ADDR]
 *     nc -u 127.0.0.1 7007    in another terminal */
#include "examples/common.h"

#include <errno.h>

enum { MANY = 16, SIZE = 64 * 1024 }; /* no datagram is longer */

static ssize_t echo(void *sock)
{
    static char bufs[MANY][SIZE];
    struct cg_addr from[MANY];
    struct cg_datagram list[MANY];
    ssize_t n = 0;

    for (int i = 0; i < MANY; i++)
        list[i] = (struct cg_datagram){.buf = bufs[i], .size = SIZE, .addr = &from[i]};
    while (n != -ECANCELED) {
        n = cg_yield(cg_receive_datagrams(sock, list, MANY));
        if (n > 0) /* a failure is about one of them, and they may be lost anyway */
            n = cg_yield(cg_send_datagrams(sock, list, (size_t)n));
        else if (n != -ECANCELED)
            n = cg_yield(cg_sleep(10 * CG_MILLISECOND)); /* there may be memory later */
    }
    cg_sock_close(sock);
    return n;
}

int main(int argc, char **argv)
{
    struct example ex = {
        .name = "udp_echo",
        .about = "Sends every datagram back to its sender",
        .listen = "127.0.0.1:7007",
        .datagrams = true,
        .network = true,
    };

    example_open(&ex, argc, argv);
    example_serve(&ex, echo);
    return example_run(&ex);
}
