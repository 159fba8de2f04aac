/* SPDX-License-Identifier: MIT */
/* What a plain socket keeps besides its descriptor: the addresses it has yet to try, or the
 * path that it has to remove. */
#ifndef COGEN_SOCKETS_PLAIN_H
#define COGEN_SOCKETS_PLAIN_H

#include "sockets/addr.h"
#include "sockets/sock.h"

enum { CG__ADDRS_MOST = 16 }; /* addresses of one host that are tried */

/* state of a socket that connects. */
struct cg__addrs {
    int count, next; /* to be tried */
    int error;       /* of the last try */
    bool connected;
    struct cg__addr list[];
};

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
