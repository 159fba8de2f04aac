/* SPDX-License-Identifier: MIT */
/* The pool of input buffers: a bounded list of free chunks. So a server allocates nothing
 * in its steady state, and frees memory after a rush. */
#include "config.h"

#include <assert.h>
#include <stdlib.h>

#include "reactors/reactors.h"

enum { FREE_CHUNKS = 64 }; /* kept in the pool, 1 MiB: twice what one wait completes at
                            * most */

struct cg_chunk *cg_chunk_get(struct cg_reactor *reactor)
{
    struct cg_chunk *chunk = reactor->chunks;

    if (cg__reactor_lacks(reactor, CG_LACKS_MEMORY))
        return NULL;
    if (chunk) {
        reactor->chunks = chunk->next;
        reactor->chunks_free--;
    } else if (!(chunk = malloc(sizeof *chunk + CG_CHUNK_SIZE))) {
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

void cg__chunk_free_all(struct cg_reactor *reactor)
{
    struct cg_chunk *chunk;

    while ((chunk = reactor->chunks)) {
        reactor->chunks = chunk->next;
        free(chunk);
    }
    reactor->chunks_free = 0;
}
