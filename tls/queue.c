/* SPDX-License-Identifier: MIT */
/* The queue of ciphertext to send. */
#include "config.h"

#include "tls/queue.h"

#include <assert.h>
#include <string.h>

static struct cg_chunk *room(struct cg__tls_queue *queue)
{
    struct cg_chunk *chunk = queue->last;

    if (chunk != NULL && chunk->end < chunk->size)
        return chunk;
    chunk = cg_chunk_get(queue->reactor);
    if (chunk == NULL)
        return NULL;
    chunk->next = NULL;
    if (queue->last != NULL)
        queue->last->next = chunk;
    else
        queue->first = chunk;
    queue->last = chunk;
    return chunk;
}

size_t cg__tls_queue_put(struct cg__tls_queue *queue, const void *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        struct cg_chunk *chunk = room(queue);
        size_t part = size - done;

        if (chunk == NULL)
            break;
        if (part > chunk->size - chunk->end)
            part = chunk->size - chunk->end;
        memcpy(chunk->data + chunk->end, (const char *)data + done, part);
        chunk->end += (uint32_t)part;
        done += part;
    }
    queue->in += done;
    return done;
}

int cg__tls_queue_show(const struct cg__tls_queue *queue, struct iovec *parts, int n)
{
    int count = 0;

    for (struct cg_chunk *chunk = queue->first; chunk != NULL && count < n;
         chunk = chunk->next)
        parts[count++] = (struct iovec){
            .iov_base = chunk->data + chunk->start,
            .iov_len = chunk->end - chunk->start,
        };
    return count;
}

void cg__tls_queue_drop(struct cg__tls_queue *queue, size_t size)
{
    assert(size <= cg__tls_queue_size(queue));
    queue->out += size;
    while (size > 0) {
        struct cg_chunk *chunk = queue->first;
        size_t held = chunk->end - chunk->start;

        if (size < held) {
            chunk->start += (uint32_t)size;
            return;
        }
        size -= held;
        queue->first = chunk->next;
        if (queue->first == NULL)
            queue->last = NULL;
        cg_chunk_put(queue->reactor, chunk);
    }
}
