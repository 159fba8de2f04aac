/* SPDX-License-Identifier: MIT */
/* Addresses as text: "127.0.0.1:80", "[::1]:80", "host:80", "unix:/path", "unix:@name". */
#ifndef COGEN_SOCKETS_ADDR_H
#define COGEN_SOCKETS_ADDR_H

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

/* The addresses that a text stands for: fills at most n, answers how many (at least 1);
 * -EINVAL: not an address; -ENXIO: unknown host; -ENOMEM. A listener's text may have no
 * host (every address: [::], which takes IPv4 as well, and 0.0.0.0 for machines without
 * IPv6) and port 0. Only a host's name waits, for the system's resolver: up to its timeout
 * nothing else runs in this thread. */
int cg__addr_parse(const char *text, bool listener, struct cg__addr *list, size_t n);

/* The text of an address. An IPv4 address within IPv6 is written as IPv4, an unnamed UNIX
 * address as "unix:". 0; -ENOSPC: buf is too small; -EAFNOSUPPORT. */
int cg__addr_print(const struct sockaddr *addr, socklen_t addrlen, char *buf, size_t size);

#endif
