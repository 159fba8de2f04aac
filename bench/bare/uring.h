/* SPDX-License-Identifier: MIT */
/* The bare io_uring loop that the bare servers share. */
#ifndef COGEN_BENCH_URING_H
#define COGEN_BENCH_URING_H

/* Bytes that came on a connection, in a buffer of the kernel's ring, which must be given
 * back by uring_giveback, or by the end of a uring_send. */
typedef void uring_received(int conn, char *data, unsigned size, int buffer);

/* Serves the connections of a listening descriptor for ever. */
_Noreturn void uring_serve(int listener, uring_received *received);

/* Sends bytes that stay as they are until they are sent; then `buffer` (-1: none) is given
 * back. Several sends on one connection keep no order if its peer does not read. */
void uring_send(int conn, const void *data, unsigned size, int buffer);

void uring_giveback(int buffer);

#endif
