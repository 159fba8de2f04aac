/* SPDX-License-Identifier: MIT */
/* What transports share that do something of their own with some requests and pass the
 * others on to the socket below (layer.c). */
#ifndef COGEN_SOCKETS_LAYERS_LAYER_H
#define COGEN_SOCKETS_LAYERS_LAYER_H

#include "sockets/sock.h"

/* A transport's state begins with it. */
struct cg__layer {
    struct cg_sock *inner;
};

static inline struct cg_sock *cg__layer_inner(const struct cg_sock *sock)
{
    return ((const struct cg__layer *)sock->state)->inner;
}

/* Puts a socket with this transport over `inner`, which it owns from then on. Returns 0, or
 * why that is not possible; then the layer stays the caller's. */
int cg__layer_put(const struct cg_transport_type *type, struct cg__layer *layer,
                  struct cg_sock *inner, struct cg_sock **sock);

/* Slots of a transport. submit passes on what never waits, and returns CG_RUN for everything
 * else, which run passes on. Of a SENDV it sends the first part. */
enum cg_verdict cg__layer_submit(struct cg_sock *sock, struct cg_io *io);
ssize_t cg__layer_run(struct cg_sock *sock, struct cg_io *io);
void cg__layer_close(struct cg_sock *sock);
struct cg_sock *cg__layer_below(const struct cg_sock *sock);

/* Serves a SEND, SENDV or SENDFILE, with at most `most` bytes. Returns what was written, also
 * if the operation was cancelled then. */
ssize_t cg__layer_send(struct cg_sock *inner, const struct cg_io *io, size_t most);

/* How many bytes the next cg__layer_send could send at most. */
size_t cg__layer_sendable(const struct cg_io *io);

/* Gives a RECV this many bytes. Returns their number, or -ENOMEM. */
ssize_t cg__layer_fill(struct cg_reactor *reactor, struct cg_io *io, const void *from,
                       size_t len);

/* How many bytes a RECV can have. */
static inline size_t cg__layer_room(const struct cg_io *io)
{
    return io->len > 0 ? io->len : CG_CHUNK_SIZE;
}

#endif
