/* SPDX-License-Identifier: MIT */
/* IP addresses and networks in configuration: "10.0.0.0/8". */
#ifndef COGEN_LIB_BASE_NETWORK_H
#define COGEN_LIB_BASE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

/* An IP address; an IPv4-mapped IPv6 address is stored as IPv4. */
struct cg__network_address {
    unsigned char bytes[16];
    unsigned bits; /* 32 or 128 */
};

/* Reads an address without brackets and zone. False: it is invalid. */
bool cg__network_address(struct cg__network_address *address, const char *text,
                         size_t len);

/* Whether an item is an address or a network that includes the address. False also if it is
 * neither. */
bool cg__network_has(const char *item, size_t len,
                     const struct cg__network_address *address);

/* Looks an address, or the word "unix", up in a comma-separated list of addresses, networks and
 * "unix". NULL: it is empty. 1: an item has it; 0; -EINVAL: an item before that is none of these,
 * so with "" as text: any item of the list. */
int cg__network_trusts(const char *list, const char *text);

/* Reduces the address of a socket, in place, to that of its host: without port, brackets and
 * zone; "unix" for a UNIX socket, for which there must be room. */
char *cg__network_host(char *addr);

#endif
