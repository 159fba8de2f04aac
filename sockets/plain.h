/* SPDX-License-Identifier: MIT */
/* What a plain socket keeps besides its descriptor: the path that it has to remove. */
#ifndef COGEN_SOCKETS_PLAIN_H
#define COGEN_SOCKETS_PLAIN_H

#include "sockets/addr.h"
#include "sockets/sock.h"

enum { CG__ADDRS_MOST = 16 }; /* addresses of one host that a listener tries */

/* state of a listener that has bound a UNIX path. */
struct cg__path {
    dev_t dev;
    ino_t ino;
    char text[sizeof((struct sockaddr_un *)NULL)->sun_path];
};

/* A new socket for an address, without delays where it is TCP: the descriptor or
 * -errno. */
int cg__socket(struct cg_reactor *reactor, const struct cg__addr *addr);

#endif
