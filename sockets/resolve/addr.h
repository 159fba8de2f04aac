/* SPDX-License-Identifier: MIT */
/* Addresses as text: "127.0.0.1:80", "[::1]:80", "host:80", "unix:/path", "unix:@name". */
#ifndef COGEN_SOCKETS_RESOLVE_ADDR_H
#define COGEN_SOCKETS_RESOLVE_ADDR_H

#include <cogen/resolve.h>

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether two texts name the same host; case and a final dot do not matter. */
bool cg__addr_same_host(const char *a, const char *b);

/* Returns the port that the text names, or -1. */
long cg__addr_port(const char *text);

/* The field for the port of an IPv4 or IPv6 address, in network byte order. */
static inline in_port_t *cg__addr_port_of(struct cg_addr *addr)
{
    return addr->base.sa_family == AF_INET ? &addr->in.sin_port : &addr->in6.sin6_port;
}

/* Whether the address is a UNIX socket's path in the file system. */
static inline bool cg__addr_has_path(const struct cg_addr *addr)
{
    return addr->base.sa_family == AF_UNIX && addr->un.sun_path[0] != '\0';
}

/* Returns 1 if host is a numeric address (IPv6 without brackets) and stores it, with port
 * 0; 0 if host is a name; CG_EADDR if it is neither. */
int cg__addr_host(const char *host, struct cg_addr *addr);

/* Whether a text is "name:port" with a host name that must be looked up. If so, copies
 * name and port. */
bool cg__addr_split(const char *text, char name[static CG_HOST_SIZE], char port[static 6]);

/* Parses a text into the addresses that it stands for, each once. Stores at most n and
 * returns how many (at least 1); CG_EADDR: not an address; CG_EHOST: unknown host;
 * -ENOMEM. A listener's text may have port 0, and no host: that means every address ([::],
 * which takes IPv4 as well, and 0.0.0.0 for machines without IPv6). A host name other than
 * "localhost" blocks: the system's resolver looks it up, and nothing else runs in this
 * thread meanwhile. */
int cg__addr_parse(const char *text, bool listener, struct cg_addr *list, size_t n);

/* Prints an address. An IPv4 address mapped into IPv6 is printed as IPv4, an unnamed UNIX
 * address as "unix:". Returns 0; -ENOSPC: buf is too small; -EAFNOSUPPORT. */
int cg__addr_print(const struct sockaddr *addr, socklen_t addrlen, char *buf, size_t size);

/* Whether the error means that this machine does not have the address, or its family. */
static inline bool cg__addr_is_absent(int error)
{
    return error == -EAFNOSUPPORT || error == -EADDRNOTAVAIL;
}

#endif
