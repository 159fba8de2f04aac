/* SPDX-License-Identifier: MIT */
/* The io_uring loop of the bare servers. */
#ifndef COGEN_BENCH_URING_H
#define COGEN_BENCH_URING_H

/* Called with received bytes, in a buffer of the ring. The callee returns the buffer to
 * the ring with uring_giveback or with uring_send. */
typedef void uring_received(int conn, char *data, unsigned size, int buffer);

/* Serves the connections of a listening descriptor for ever. */
_Noreturn void uring_serve(int listener, uring_received *received);

/* Sends bytes, which must not change until they are sent; then `buffer` (-1: none) is
 * returned to the ring. Several sends on one connection may be reordered if its peer does
 * not read. */
void uring_send(int conn, const void *data, unsigned size, int buffer);

void uring_giveback(int buffer);

#endif
