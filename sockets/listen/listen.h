/* SPDX-License-Identifier: MIT */
/* Listening descriptors, and listeners on them. */
#ifndef COGEN_SOCKETS_LISTEN_LISTEN_H
#define COGEN_SOCKETS_LISTEN_LISTEN_H

#include "sockets/listen/unix_path.h"
#include "sockets/sock.h"

enum { CG__ADDRS_MOST = 16 }; /* addresses of one name that a listener uses */

/* Opens listening descriptors on an address, as cg_sock_listen_with does. Returns how many;
 * *path is the file of a UNIX path, else NULL. Or returns the errors of that function. */
int cg__listen_open(struct cg_reactor *reactor, const char *addr,
                    const struct cg_listen_options *options, int fds[static CG__ADDRS_MOST],
                    struct cg__path **path);

/* Opens one more on the address of a TCP listener, with SO_REUSEPORT. Returns it, or
 * -errno. */
int cg__listen_again(struct cg_reactor *reactor, int fd,
                     const struct cg_listen_options *options);

/* Makes a listener of one or more listening descriptors; their ownership passes to it.
 * Returns NULL if there is no memory; then the descriptors stay the caller's. */
struct cg_sock *cg__listen_new(struct cg_sched *sched, const int *fds, int count);

/* Makes one listener of several listening descriptors; their ownership passes to it.
 * Returns NULL if there is no memory; then the descriptors stay the caller's. */
struct cg_sock *cg__listen_many(struct cg_sched *sched, const int *fds, int count);

#endif
