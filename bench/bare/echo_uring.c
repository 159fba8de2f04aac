/* SPDX-License-Identifier: MIT */
/* The bare loop on io_uring: an echo server that sends from the buffer into which it has
 * received, without timeouts, limits or abstraction. */
#include "bench/bare/uring.h"
#include "bench/listen.h"

static void echo(int conn, char *data, unsigned size, int buffer)
{
    uring_send(conn, data, size, buffer);
}

int main(int argc, char **argv)
{
    (void)argc;
    uring_serve(bench_listen(argv, 0), echo);
}
