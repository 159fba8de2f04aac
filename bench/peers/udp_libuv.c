/* SPDX-License-Identifier: MIT */
/* UDP echo on libuv: receives with recvmmsg, answers with uv_udp_try_send.
 *     bench/peers/udp_libuv [PORT] */
#include "bench/listen.h"

#include <sys/socket.h>
#include <uv.h>

enum { MOST = 64 * 1024 }; /* what libuv reckons with for a datagram */

static char buffer[20 * MOST];

static void give_buffer(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    (void)handle;
    (void)size;
    *buf = uv_buf_init(buffer, sizeof buffer);
}

static void received(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                     unsigned flags)
{
    uv_buf_t out = uv_buf_init(buf->base, n > 0 ? (unsigned)n : 0);

    (void)flags;
    if (n >= 0 && from != NULL && uv_udp_try_send(udp, &out, 1, from) < 0)
        bench_die("uv_udp_try_send");
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    uv_udp_t udp;

    (void)argc;
    if (uv_udp_init_ex(loop, &udp, AF_UNSPEC | UV_UDP_RECVMMSG) < 0 ||
        uv_udp_open(&udp, bench_open_udp(argv, SOCK_NONBLOCK)) < 0 ||
        uv_udp_recv_start(&udp, give_buffer, received) < 0)
        bench_die("libuv");
    return uv_run(loop, UV_RUN_DEFAULT);
}
