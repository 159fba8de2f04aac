/* SPDX-License-Identifier: MIT */
/* A listener over several descriptors. */
#ifndef COGEN_SOCKETS_LISTEN_LISTEN_H
#define COGEN_SOCKETS_LISTEN_LISTEN_H

#include "sockets/sock.h"

enum { CG__ADDRS_MOST = 16 }; /* addresses of one name that a listener uses */

/* Makes one listener of several listening descriptors; their ownership passes to it.
 * Returns NULL if there is no memory; then the descriptors stay the caller's. */
struct cg_sock *cg__listen_many(struct cg_sched *sched, const int *fds, int count);

#endif
