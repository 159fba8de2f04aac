/* SPDX-License-Identifier: MIT */
/* Addresses as text: "127.0.0.1:80", "[::1]:80", "host:80", "unix:/path", "unix:@name". */
#ifndef COGEN_SOCKETS_RESOLVE_ADDR_H
#define COGEN_SOCKETS_RESOLVE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

struct cg__addr {
    union {
        struct sockaddr base;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    };
    socklen_t size;
};

/* Whether two names are of the same host: neither case nor a dot at the end counts. */
bool cg__addr_same_host(const char *a, const char *b);

enum { CG__HOST_SIZE = 256 }; /* room for a host's name, with its NUL */

/* A port's number, or -1. */
long cg__addr_port(const char *text);

/* Where the port of an IPv4 or IPv6 address is, in the network's order. */
static inline in_port_t *cg__addr_port_of(struct cg__addr *addr)
{
    return addr->base.sa_family == AF_INET ? &addr->in.sin_port : &addr->in6.sin6_port;
}

/* What a host's text is: 1: a numeric address (IPv6 without brackets), now in *addr with
 * port 0; 0: a name; CG_EADDR. */
int cg__addr_host(const char *host, struct cg__addr *addr);

/* Whether a text is "name:port", a host's name that would have to be looked up: then name
 * and port are copied. */
bool cg__addr_split(const char *text, char name[static CG__HOST_SIZE], char port[static 6]);

/* The addresses that a text stands for, each once: fills at most n, returns how many (at
 * least 1); CG_EADDR: not an address; CG_EHOST: unknown host; -ENOMEM. A listener's text
 * may have no host (every address: [::], which takes IPv4 as well, and 0.0.0.0 for machines
 * without IPv6) and port 0. Only a host's name other than "localhost" waits, for the
 * system's resolver: up to its timeout nothing else runs in this thread. */
int cg__addr_parse(const char *text, bool listener, struct cg__addr *list, size_t n);

/* The text of an address. An IPv4 address within IPv6 is written as IPv4, an unnamed UNIX
 * address as "unix:". 0; -ENOSPC: buf is too small; -EAFNOSUPPORT. */
int cg__addr_print(const struct sockaddr *addr, socklen_t addrlen, char *buf, size_t size);

#endif
