/* SPDX-License-Identifier: MIT */
/* See blocks.h. A request takes about ten blocks of nghttp2, and gives them back when its response
 * has been sent. */
#include "config.h"

#include "http/http2/blocks.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct cg__http2_block {
    _Alignas(max_align_t) struct cg__http2_block *next, **at; /* in its session, or spare */
    size_t size;
};

/* The list for blocks of a size; CG__HTTP2_SIZES or more: they are not small. */
static size_t list_of(size_t size)
{
    return (size - 1) / CG__HTTP2_BLOCK;
}

static struct cg__http2_block *make(size_t size)
{
    struct cg__http2_block *block;

    if (size > PTRDIFF_MAX - sizeof *block)
        return NULL;
    block = malloc(sizeof *block + size);
    if (block != NULL)
        block->size = size;
    return block;
}

static struct cg__http2_block *take(struct cg__http2_spare *spare, size_t list)
{
    struct cg__http2_block *block = spare->first[list];

    if (block == NULL)
        return make((list + 1) * CG__HTTP2_BLOCK);
    spare->first[list] = block->next;
    spare->bytes -= block->size;
    return block;
}

void *cg__http_blocks_malloc(size_t size, void *arg)
{
    struct cg__http2_memory *memory = arg;
    size_t list = size > 0 ? list_of(size) : 0;
    struct cg__http2_block *block = memory->spare != NULL && list < CG__HTTP2_SIZES
                                        ? take(memory->spare, list)
                                        : make(size);

    if (block == NULL)
        return NULL;
    block->next = memory->first;
    block->at = &memory->first;
    if (block->next != NULL)
        block->next->at = &block->next;
    memory->first = block;
    return block + 1;
}

void *cg__http_blocks_calloc(size_t count, size_t size, void *memory)
{
    void *data = NULL;

    if (size == 0 || count <= PTRDIFF_MAX / size)
        data = cg__http_blocks_malloc(count * size, memory);
    return data != NULL ? memset(data, 0, count * size) : NULL;
}

void cg__http_blocks_free(void *data, void *arg)
{
    struct cg__http2_memory *memory = arg;
    struct cg__http2_spare *spare = memory->spare;
    struct cg__http2_block *block = data;

    if (block == NULL)
        return;
    block--;
    *block->at = block->next;
    if (block->next != NULL)
        block->next->at = block->at;
    if (spare == NULL || list_of(block->size) >= CG__HTTP2_SIZES ||
        spare->bytes + block->size > CG__HTTP2_SPARE) {
        free(block);
        return;
    }
    block->next = spare->first[list_of(block->size)];
    spare->first[list_of(block->size)] = block;
    spare->bytes += block->size;
}

void *cg__http_blocks_realloc(void *data, size_t size, void *memory)
{
    struct cg__http2_block *block = data;
    void *grown;

    if (block != NULL && (block - 1)->size >= size)
        return data;
    grown = cg__http_blocks_malloc(size, memory);
    if (grown == NULL || block == NULL)
        return grown;
    memcpy(grown, data, (block - 1)->size);
    cg__http_blocks_free(data, memory);
    return grown;
}

void cg__http_blocks_free_all(struct cg__http2_memory *memory)
{
    while (memory->first != NULL)
        cg__http_blocks_free(memory->first + 1, memory);
}

void cg__http_blocks_free_spare(struct cg__http2_spare *spare)
{
    for (size_t i = 0; i < CG__HTTP2_SIZES; i++)
        while (spare->first[i] != NULL)
            free(take(spare, i));
}
