/* SPDX-License-Identifier: MIT */
/* What the socket of a stream, on either side, knows of options and names. */
#ifndef COGEN_HTTP_HTTP2_STREAM_SOCK_H
#define COGEN_HTTP_HTTP2_STREAM_SOCK_H

#include <cogen/transport.h>

/* Serves SETOPT, SOCKNAME and PEERNAME. below: the socket of the connection; NULL: it is gone.
 * abrupt: set if closing the stream shall reset it. */
enum cg_verdict cg__http_stream_sock(struct cg_sock *below, bool *abrupt, struct cg_io *io);

#endif
