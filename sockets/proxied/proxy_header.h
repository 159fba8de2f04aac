/* SPDX-License-Identifier: MIT */
/* The header of the PROXY protocol, with which a proxy begins a connection and tells whom it
 * serves: versions 1 (a line) and 2 (binary). */
#ifndef COGEN_SOCKETS_PROXIED_PROXY_HEADER_H
#define COGEN_SOCKETS_PROXIED_PROXY_HEADER_H

#include <cogen/sock.h>

#include <stddef.h>
#include <sys/types.h>

enum {
    CG__PROXY_HEADER_LIMIT = 4 * 1024, /* bytes of a header with what it has beside addresses */
    CG__PROXY_HEADER_V2 = 16,          /* bytes of version 2 before the addresses */
    CG__PROXY_HEADER_MADE = 108,       /* room for a header that is made */
};

/* Parses the header at the start of some bytes. Returns its length, and stores the client's
 * address, "192.0.2.1:56324", "[2001:db8::1]:56324", "unix:" for a UNIX socket, or "": the header
 * names none, and the connection is the proxy's own. 0: more bytes are needed; -EPROTO: it is
 * invalid. */
ssize_t cg__proxy_header_parse(const char *data, size_t len, char client[static CG_ADDR_SIZE]);

/* Makes a header of version 1 or 2 and returns its length. `client` and `server` are the two ends
 * of the client's connection. If one of them is no IP address with a port, the header says that
 * both are unknown. If client is NULL, it says that the connection is the proxy's own. */
size_t cg__proxy_header_make(char header[static CG__PROXY_HEADER_MADE], unsigned version,
                             const char *client, const char *server);

#endif
