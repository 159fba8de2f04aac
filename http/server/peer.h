/* SPDX-License-Identifier: MIT */
/* The address of a connection's other end. */
#ifndef COGEN_HTTP_SERVER_PEER_H
#define COGEN_HTTP_SERVER_PEER_H

#include "http/server/server.h"

/* Stores what the other end of a connection is called: its address without port, brackets and
 * zone, "unix" for a UNIX socket, or what a proxy has told. It stays with the connection, so
 * that the kernel is asked once, and it is known after an upgrade. 0 or a negative code. */
int cg__http_peer_find(struct cg__http_conn *conn, const char **peer);

#endif
