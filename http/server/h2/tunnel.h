/* SPDX-License-Identifier: MIT */
/* A stream that was given to a handler (CONNECT, and what HTTP/1.1 calls an upgrade): the
 * transport of a socket. The windows of HTTP/2 are its backpressure. */
#ifndef COGEN_HTTP_SERVER_H2_TUNNEL_H
#define COGEN_HTTP_SERVER_H2_TUNNEL_H

#include "http/server/h2/h2.h"

/* Makes the socket of a stream, with what has come of its body. 0 or -ENOMEM. */
int cg__http_h2_tunnel_open(struct cg__http_h2_stream *stream);

struct cg_sock *cg__http_h2_tunnel_sock(const struct cg__http_h2_tunnel *tunnel);

/* Bytes have come. Returns how many it stores, or does not want: fewer if there is no memory. The
 * others are the caller's to count for the window of the connection. */
size_t cg__http_h2_tunnel_add(struct cg__http_h2_tunnel *tunnel, const uint8_t *data, size_t len);

/* The client has ended its direction. */
void cg__http_h2_tunnel_end(struct cg__http_h2_tunnel *tunnel);

/* nghttp2 has taken bytes that the socket had to send. */
void cg__http_h2_tunnel_took(struct cg__http_h2_tunnel *tunnel);

/* Asks the client to send no more, if the socket has been closed and all has been sent. */
void cg__http_h2_tunnel_stop(struct cg__http_h2_stream *stream);

/* The stream ends. What has come can still be read, and then the end, or the error if that is
 * not 0. */
void cg__http_h2_tunnel_leave(struct cg__http_h2_tunnel *tunnel, int error);

#endif
