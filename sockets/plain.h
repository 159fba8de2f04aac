/* SPDX-License-Identifier: MIT */
/* Sockets over the reactor. */
#ifndef COGEN_SOCKETS_PLAIN_H
#define COGEN_SOCKETS_PLAIN_H

#include "sockets/resolve/addr.h"
#include "sockets/sock.h"

/* Sets or reads an option whose value is an int: 0 or -errno. */
int cg__plain_set(struct cg_reactor *reactor, int fd, int level, int name, int value);
int cg__plain_get(struct cg_reactor *reactor, int fd, int level, int name, int *value);

/* The address at one end (code: CG_IO_SOCKNAME or CG_IO_PEERNAME): 0 or -errno. */
int cg__plain_name(struct cg_reactor *reactor, int fd, uint8_t code, struct cg__addr *name);

/* Turns delays off where it is TCP: a coroutine that writes an answer in two pieces must
 * not wait for a delayed ACK, and one that writes many small pieces has cg_writev. Set on a
 * listener it is inherited by what that accepts, which costs no call a connection. It may
 * fail: no harm is done. */
void cg__plain_set_nodelay(struct cg_reactor *reactor, int fd);

/* A new socket for an address, without delays where it is TCP: the descriptor or
 * -errno. */
int cg__plain_socket(struct cg_reactor *reactor, const struct cg__addr *addr);

#endif
