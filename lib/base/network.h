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

/* Reads an address without brackets and zone. False: it is none. */
bool cg__network_address(struct cg__network_address *address, const char *text,
                         size_t len);

/* Whether an item is an address or a network that includes the address. */
bool cg__network_has(const char *item, size_t len,
                     const struct cg__network_address *address);

/* Whether the comma-separated list of addresses and networks has the address, or the word
 * "unix". NULL: it is empty. */
bool cg__network_is_trusted(const char *list, const char *text);

/* Reduces the address of a socket, in place, to that of its host: without port, brackets and
 * zone; "unix" for a UNIX socket, for which there must be room. */
char *cg__network_host(char *addr);

#endif
