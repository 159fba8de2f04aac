/* SPDX-License-Identifier: MIT */
/* The header of the PROXY protocol, with which a proxy begins a connection and tells whom it
 * serves: versions 1 (a line) and 2 (binary). */
#ifndef COGEN_HTTP_HTTP1_PROXY_HEADER_H
#define COGEN_HTTP_HTTP1_PROXY_HEADER_H

#include <stddef.h>
#include <sys/types.h>

enum {
    CG__PROXY_HEADER_LIMIT = 4 * 1024, /* bytes of a header with what it has beside addresses */
    CG__PROXY_HEADER_CLIENT = 46,      /* size of an address as text */
};

/* Parses the header at the start of some bytes. Returns its length, and stores the client's
 * address without a port, "unix" for a UNIX socket, or "": the header names none, and the
 * connection is the proxy's own. 0: more bytes are needed; -EPROTO: it is invalid. */
ssize_t cg__http_proxy_header_parse(const char *data, size_t len,
                                    char client[static CG__PROXY_HEADER_CLIENT]);

#endif
