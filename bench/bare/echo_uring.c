/* SPDX-License-Identifier: MIT */
/* The bare machine on io_uring: an echo server that sends from the very buffer that was
 * received into. No timeouts, no limits, no abstraction. */
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
