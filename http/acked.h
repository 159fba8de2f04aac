/* SPDX-License-Identifier: MIT */
/* Progress of what is written. A kernel takes megabytes at once and then, from a client
 * that reads slowly, nothing for a minute: a write that waits so long is not without
 * progress as long as the peer acknowledges bytes. */
#ifndef COGEN_HTTP_ACKED_H
#define COGEN_HTTP_ACKED_H

#include <cogen/sock.h>

/* What was seen at the last look; all zero at first. */
struct cg__http_acked {
    uint64_t acked;
    unsigned stalled; /* looks in a row without progress */
};

/* How long a write waits until the next look, if its timeout without progress is this. */
int64_t cg__http_acked_wait(int64_t timeout);

/* The write has waited that long, after it had moved so many bytes. Whether to go on: false
 * where the peer has acknowledged nothing for the whole timeout, or the kernel cannot
 * tell. */
bool cg__http_acked_go_on(struct cg__http_acked *seen, struct cg_sock *sock, size_t moved);

#endif
