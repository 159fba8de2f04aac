/* SPDX-License-Identifier: MIT */
/* Sessions with a peer that sends any bytes, in a simulated world. */
#ifndef COGEN_TESTS_FUZZ_PEER_H
#define COGEN_TESTS_FUZZ_PEER_H

#include <cogen.h>

#include "tests/fuzz/fuzz.h"

#define PEER_ADDR "10.0.0.1:80"

/* Bytes of an input, and how they are cut. */
struct peer_input {
    const uint8_t *data;
    size_t size;
    enum fuzz_cuts cuts;
};

/* Runs fn(arg) in a world of its own. When it has ended, nothing may be left. */
void peer_world(cg_fn *fn, void *arg);

/* Sends the bytes in pieces, so that each one can be read alone, and ends the sending direction.
 * The other side may close the connection meanwhile. */
void peer_send(struct cg_sock *sock, const struct peer_input *input);

/* Reads to the end of the stream, or until it is reset; what does not fit is dropped. Returns
 * the length of what came, with a NUL behind it. */
size_t peer_read(struct cg_sock *sock, char *buf, size_t size);

#endif
