/* SPDX-License-Identifier: MIT */
/* The address of a connection's other end. */
#ifndef COGEN_HTTP_SERVER_PEER_H
#define COGEN_HTTP_SERVER_PEER_H

#include "http/server/server.h"

/* Finds the address of a connection's other end, without port, brackets and zone; "unix" for a
 * UNIX socket; or the address that a proxy has sent. It is stored in the connection, so that the
 * kernel is asked only once, and the address is still known after an upgrade. 0 or a negative
 * code. */
int cg__http_peer_find(struct cg__http_conn *conn, const char **peer);

#endif
