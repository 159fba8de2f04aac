/* SPDX-License-Identifier: MIT */
/* Progress of writes. The kernel buffers megabytes at once; if the peer reads slowly it
 * then takes nothing for a minute. As long as the peer acknowledges bytes, such a write
 * makes progress and must not time out. */
#ifndef COGEN_HTTP_ACKED_H
#define COGEN_HTTP_ACKED_H

#include <cogen/sock.h>
#include <sys/uio.h>

/* The state at the last check; all zero at first. */
struct cg__http_acked {
    uint64_t acked;
    unsigned stalled; /* checks in a row without progress */
};

/* How long to wait in one write before progress is checked, if `timeout` is the longest
 * time without progress. */
int64_t cg__http_acked_wait(int64_t timeout);

/* To be called when a write has timed out after it moved so many bytes. Returns whether
 * to write again; false if the peer has acknowledged nothing for the whole timeout, or
 * the kernel cannot tell. */
bool cg__http_acked_go_on(struct cg__http_acked *seen, struct cg_sock *sock, size_t moved);

/* Writes all parts, and yields: each wait takes `wait` at most, and the peer may take nothing for
 * as many of them as acked.c says. What has been written is removed from the parts, as by
 * cg_writev, whose result this returns. */
ssize_t cg__http_acked_writev(struct cg_sock *sock, struct iovec *parts, int count, int64_t wait,
                              bool more);

/* Bytes that the peer has acknowledged on the connection so far; 0: not known, or not TCP.
 * (Other sockets are full only while their peer reads nothing.) */
uint64_t cg__http_acked_bytes(struct cg_sock *sock);

#endif
