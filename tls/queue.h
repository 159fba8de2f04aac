/* SPDX-License-Identifier: MIT */
/* The queue of ciphertext to send: a list of chunks of the reactor's pool. If it is empty,
 * the list is empty. */
#ifndef COGEN_TLS_QUEUE_H
#define COGEN_TLS_QUEUE_H

#include <cogen/reactor.h>

struct cg__tls_queue {
    struct cg_reactor *reactor;
    struct cg_chunk *first, *last;
    uint64_t in, out; /* bytes put in and taken out since the beginning */
};

static inline size_t cg__tls_queue_size(const struct cg__tls_queue *queue)
{
    return (size_t)(queue->in - queue->out);
}

/* Appends a copy. Returns how many bytes: fewer than size only if there is no memory. */
size_t cg__tls_queue_put(struct cg__tls_queue *queue, const void *data, size_t size);

/* Describes the first bytes in at most n parts, which are valid until they are dropped.
 * Returns the number of parts. */
int cg__tls_queue_show(const struct cg__tls_queue *queue, struct iovec *parts, int n);

/* Drops the first `size` bytes; at least that many are in the queue. */
void cg__tls_queue_drop(struct cg__tls_queue *queue, size_t size);

#endif
