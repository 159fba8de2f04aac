/* SPDX-License-Identifier: MIT */
/* Receive buffers for io_uring. The kernel takes a chunk only when data has arrived, so a
 * waiting socket holds none. A consumed chunk is replaced not at once but before the next
 * enter: by then most chunks are back in the pool, and still in the processor's caches.
 * What a burst has made the ring hold is taken back when the loop is idle. */
#include "config.h"

#ifdef HAVE_LIBURING

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reactors/io_uring/uring.h"

int cg__uring_buffers_open(struct uring_buffers *buffers, struct io_uring *ring,
                           struct cg_reactor *reactor)
{
    size_t size = URING_BUFFERS_MAX * sizeof(struct io_uring_buf);
    void *memory;
    int err;

    if ((err = posix_memalign(&memory, (size_t)sysconf(_SC_PAGESIZE), size)) != 0)
        return -err;
    memset(memory, 0, size);
    struct io_uring_buf_reg reg = {
        .ring_addr = (uintptr_t)memory,
        .ring_entries = URING_BUFFERS_MAX,
        .bgid = URING_GROUP,
    };
    if ((err = io_uring_register_buf_ring(ring, &reg, 0)) < 0) {
        free(memory);
        return err;
    }
    *buffers = (struct uring_buffers){
        .reactor = reactor,
        .ring = memory,
        .target = URING_BUFFERS_MIN,
        .vacant = URING_BUFFERS_MAX,
    };
    reactor->chunks_held = 0;
    io_uring_buf_ring_init(buffers->ring);
    for (unsigned i = 0; i < URING_BUFFERS_MAX; i++)
        buffers->vacancies[i] = (uint16_t)i;
    return 0;
}

void cg__uring_buffers_close(struct uring_buffers *buffers, struct io_uring *ring)
{
    if (!buffers->ring)
        return;
    if (ring)
        io_uring_unregister_buf_ring(ring, URING_GROUP);
    for (unsigned i = 0; i < URING_BUFFERS_MAX; i++)
        if (buffers->chunks[i])
            cg_chunk_put(buffers->reactor, buffers->chunks[i]);
    free(buffers->ring);
    buffers->ring = NULL;
}

void cg__uring_buffers_fill(struct uring_buffers *buffers)
{
    int mask = io_uring_buf_ring_mask(URING_BUFFERS_MAX), added = 0;
    struct cg_chunk *chunk;

    while (buffers->inside < buffers->target &&
           (chunk = cg_chunk_get(buffers->reactor)) != NULL) {
        assert(buffers->vacant > 0);
        uint16_t number = buffers->vacancies[--buffers->vacant];
        buffers->chunks[number] = chunk;
        io_uring_buf_ring_add(buffers->ring, chunk->data, chunk->size, number, mask,
                              added);
        buffers->inside++;
        added++;
    }
    if (added > 0)
        io_uring_buf_ring_advance(buffers->ring, added);
}

void cg__uring_buffers_grow(struct uring_buffers *buffers)
{
    if (buffers->target < URING_BUFFERS_MAX)
        buffers->target *= 2;
    if (buffers->target > URING_BUFFERS_MIN)
        buffers->reactor->chunks_held = buffers->target;
}

/* The kernel takes buffers from the head up to the tail, which only we move. So it forgets
 * those that it has not taken if the tail goes back to them. */
void cg__uring_buffers_recall(struct uring_buffers *buffers)
{
    int mask = io_uring_buf_ring_mask(URING_BUFFERS_MAX);
    uint16_t tail = buffers->ring->tail;

    for (; buffers->inside > 0; buffers->inside--) {
        uint16_t number = buffers->ring->bufs[--tail & mask].bid;
        struct cg_chunk *chunk = buffers->chunks[number];

        assert(chunk != NULL);
        buffers->chunks[number] = NULL;
        buffers->vacancies[buffers->vacant++] = number;
        cg_chunk_put(buffers->reactor, chunk);
    }
    io_uring_smp_store_release(&buffers->ring->tail, tail);
    buffers->target = URING_BUFFERS_MIN;
    buffers->reactor->chunks_held = 0;
}

struct cg_chunk *cg__uring_buffers_take(struct uring_buffers *buffers, unsigned number,
                                        int n)
{
    assert(number < URING_BUFFERS_MAX && buffers->chunks[number]);
    struct cg_chunk *chunk = buffers->chunks[number];

    buffers->chunks[number] = NULL;
    buffers->vacancies[buffers->vacant++] = (uint16_t)number;
    buffers->inside--;
    if (n <= 0) {
        cg_chunk_put(buffers->reactor, chunk);
        return NULL;
    }
    chunk->start = 0;
    chunk->end = (uint32_t)n;
    return chunk;
}

#else
/* ISO C requires a declaration in every file. */
typedef int cg__no_liburing;
#endif
