/* SPDX-License-Identifier: MIT */
/* Plain sockets: descriptors of the reactor. */
#ifndef COGEN_SOCKETS_PLAIN_H
#define COGEN_SOCKETS_PLAIN_H

#include "sockets/resolve/addr.h"
#include "sockets/sock.h"

extern const struct cg_transport_type cg__plain_transport;

/* Makes a request that never waits. Returns its result. */
ssize_t cg__plain_call(struct cg_reactor *reactor, struct cg_io *io);

/* Makes the reactor forget a descriptor, and closes it. */
void cg__plain_close_fd(struct cg_reactor *reactor, int fd);

/* Sets or reads an option whose value is an int. Returns 0 or -errno. */
int cg__plain_set(struct cg_reactor *reactor, int fd, int level, int name, int value);
int cg__plain_get(struct cg_reactor *reactor, int fd, int level, int name, int *value);

/* Reads the address of one end; code is CG_IO_SOCKNAME or CG_IO_PEERNAME. Returns 0 or
 * -errno. */
int cg__plain_name(struct cg_reactor *reactor, int fd, uint8_t code, struct cg_addr *name);

/* Sets TCP_NODELAY: a coroutine that writes a response in two pieces must not wait for
 * a delayed ACK, and for many small pieces there is cg_writev. Connections inherit the
 * option from their listener, which saves a call for each. A failure is ignored: it
 * does no harm. */
void cg__plain_set_nodelay(struct cg_reactor *reactor, int fd);

/* Opens a socket for an address, with TCP_NODELAY if it is TCP. Returns the descriptor
 * or -errno. */
int cg__plain_socket(struct cg_reactor *reactor, const struct cg_addr *addr);

#endif
