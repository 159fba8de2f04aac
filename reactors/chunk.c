/* SPDX-License-Identifier: MIT */
/* The pool of input buffers: a bounded list of free chunks. So a server allocates nothing
 * in its steady state, and frees memory after a rush. While the loop is idle, free chunks
 * are cooled: they keep their addresses, which an array holds, and no memory. */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reactors/reactors.h"

enum {
    FREE_CHUNKS = 256, /* kept in the pool: the receive buffers of io_uring are as many */
    BYTES = sizeof(struct cg_chunk) + CG_CHUNK_SIZE,
};

/* Begins at a page, so that its memory can be returned to the system. */
static struct cg_chunk *allocate(void)
{
    void *memory;

    return posix_memalign(&memory, (size_t)sysconf(_SC_PAGESIZE), BYTES) == 0 ? memory : NULL;
}

struct cg_chunk *cg_chunk_get(struct cg_reactor *reactor)
{
    struct cg_chunk *chunk = reactor->chunks;

    if (cg__reactor_lacks(reactor, CG_LACKS_MEMORY))
        return NULL;
    if (chunk) {
        reactor->chunks = chunk->next;
        reactor->chunks_free--;
    } else if (reactor->chunks_cold > 0) {
        chunk = reactor->cold[--reactor->chunks_cold];
        reactor->chunks_free--;
    } else if (!(chunk = allocate())) {
        return NULL;
    }
    *chunk = (struct cg_chunk){.size = CG_CHUNK_SIZE};
    reactor->chunks_out++;
    return chunk;
}

struct cg_chunk *cg_chunk_get_large(struct cg_reactor *reactor, size_t size)
{
    struct cg_chunk *chunk;

    if (size <= CG_CHUNK_SIZE)
        return cg_chunk_get(reactor);
    if (size > UINT32_MAX || !(chunk = malloc(sizeof *chunk + size)))
        return NULL;
    *chunk = (struct cg_chunk){.size = (uint32_t)size};
    reactor->chunks_out++;
    return chunk;
}

void cg_chunk_put(struct cg_reactor *reactor, struct cg_chunk *chunk)
{
    assert(reactor->chunks_out > 0 && chunk->lent == 0);
    reactor->chunks_out--;
    if (reactor->chunks_free >= FREE_CHUNKS || chunk->size > CG_CHUNK_SIZE) {
        free(chunk);
        return;
    }
    chunk->next = reactor->chunks;
    reactor->chunks = chunk;
    reactor->chunks_free++;
}

void cg__chunk_cool(struct cg_reactor *reactor)
{
    struct cg_chunk *chunk;

    if (BYTES % sysconf(_SC_PAGESIZE) != 0) /* not whole pages */
        return;
    if (reactor->cold == NULL)
        reactor->cold = malloc(FREE_CHUNKS * sizeof(struct cg_chunk *));
    if (reactor->cold == NULL)
        return;
    if (reactor->recall != NULL)
        reactor->recall(reactor);
    while ((chunk = reactor->chunks) != NULL) {
        reactor->chunks = chunk->next;
        madvise(chunk, BYTES, MADV_DONTNEED);
        reactor->cold[reactor->chunks_cold++] = chunk;
    }
}

void cg__chunk_free_all(struct cg_reactor *reactor)
{
    struct cg_chunk *chunk;

    while ((chunk = reactor->chunks)) {
        reactor->chunks = chunk->next;
        free(chunk);
    }
    while (reactor->chunks_cold > 0)
        free(reactor->cold[--reactor->chunks_cold]);
    free(reactor->cold);
    reactor->cold = NULL;
    reactor->chunks_free = 0;
}
