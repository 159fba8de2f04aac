/* SPDX-License-Identifier: MIT */
/* The memory of sessions of nghttp2: each has a list of its blocks, and is freed as a whole. Small
 * blocks are kept for the next request, on whichever session it comes. */
#ifndef COGEN_HTTP_HTTP2_BLOCKS_H
#define COGEN_HTTP_HTTP2_BLOCKS_H

#include <stddef.h>

enum {
    CG__HTTP2_BLOCK = 64,         /* sizes of small blocks are multiples of this .. */
    CG__HTTP2_SIZES = 8,          /* .. and there are so many sizes */
    CG__HTTP2_SPARE = 256 * 1024, /* bytes of spare blocks, at most */
};

struct cg__http2_block;

/* Spare blocks, all zero at first. They may be used by all sessions of a thread. */
struct cg__http2_spare {
    struct cg__http2_block *first[CG__HTTP2_SIZES]; /* lists by size */
    size_t bytes;
};

/* The memory of one session, all zero at first. It must not move. */
struct cg__http2_memory {
    struct cg__http2_block *first;
    struct cg__http2_spare *spare; /* NULL: none are kept */
};

/* malloc, calloc, realloc and free, as nghttp2_mem has them; `memory` is a struct
 * cg__http2_memory. */
void *cg__http_blocks_malloc(size_t size, void *memory);
void *cg__http_blocks_calloc(size_t count, size_t size, void *memory);
void *cg__http_blocks_realloc(void *data, size_t size, void *memory);
void cg__http_blocks_free(void *data, void *memory);

/* Frees all blocks of a session. */
void cg__http_blocks_free_all(struct cg__http2_memory *memory);

/* Frees the spare blocks. */
void cg__http_blocks_free_spare(struct cg__http2_spare *spare);

#endif
