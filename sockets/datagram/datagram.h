/* SPDX-License-Identifier: MIT */
/* Shared by the files of datagram sockets. */
#ifndef COGEN_SOCKETS_DATAGRAM_DATAGRAM_H
#define COGEN_SOCKETS_DATAGRAM_DATAGRAM_H

#include <cogen/datagram.h>

#include "sockets/resolve/addr.h"
#include "sockets/sock.h"

/* Reads an address that needs no look-up. For localhost it takes the address of the family
 * if there is one, otherwise the first. Returns 0 or CG_EADDR. */
int cg__datagram_addr(const char *text, sa_family_t family, struct cg_addr *addr);

/* Charges the running coroutine for the bytes of n datagrams. */
void cg__datagram_charge(struct cg_sock *sock, const struct cg_datagram *list, size_t n);

#endif
