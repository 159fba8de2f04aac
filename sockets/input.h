/* SPDX-License-Identifier: MIT */
/* The unread input of a stream: a list of chunks of the reactor's pool. If nothing is
 * unread, the list is empty. */
#ifndef COGEN_SOCKETS_INPUT_H
#define COGEN_SOCKETS_INPUT_H

#include <cogen/reactor.h>

struct cg__input {
    struct cg_chunk *first, *last;
    uint32_t unread;  /* bytes */
    uint32_t scanned; /* how many bytes from the first on are known to contain no newline */
};

/* Appends a filled chunk; its ownership passes to the input. If its bytes fit into the
 * last chunk, they are copied there and the new chunk returns to the pool, so that many
 * small arrivals do not occupy many chunks. */
void cg__input_add(struct cg_reactor *reactor, struct cg__input *input,
                   struct cg_chunk *chunk);

/* Like cg__input_add; inline for the usual case, that the input is empty. */
static inline void cg__input_begin(struct cg_reactor *reactor, struct cg__input *input,
                                   struct cg_chunk *chunk)
{
    if (input->first != NULL || chunk->end == chunk->start) {
        cg__input_add(reactor, input, chunk);
        return;
    }
    chunk->next = NULL;
    chunk->lent = 0;
    input->first = input->last = chunk;
    input->unread = chunk->end - chunk->start;
}

/* Appends a copy of the bytes. Returns how many were copied: fewer than size only if
 * memory ran out. */
size_t cg__input_push(struct cg_reactor *reactor, struct cg__input *input,
                      const void *data, size_t size);

/* Returns a place where the caller may put at most *room bytes; cg__input_grow then
 * counts them. Returns NULL if there is no memory. */
char *cg__input_room(struct cg_reactor *reactor, struct cg__input *input, size_t *room);
void cg__input_grow(struct cg__input *input, size_t size);

/* Copies at most len bytes out and drops them. Returns how many. */
size_t cg__input_read(struct cg_reactor *reactor, struct cg__input *input, void *buf,
                      size_t len);

/* Drops `size` bytes; at least that many are unread. */
void cg__input_drop(struct cg_reactor *reactor, struct cg__input *input, size_t size);

/* Makes the first chunk hold at least `size` bytes, all of which are unread and not lent.
 * Returns false if there is no memory. */
bool cg__input_gather_more(struct cg_reactor *reactor, struct cg__input *input, size_t size);
static inline bool cg__input_gather(struct cg_reactor *reactor, struct cg__input *input,
                                    size_t size)
{
    const struct cg_chunk *first = input->first;

    return first->end - first->start >= size || cg__input_gather_more(reactor, input, size);
}

/* Takes out the first chunk. Returns NULL if nothing is unread. */
struct cg_chunk *cg__input_shift(struct cg__input *input);

/* Returns the length of the first line with its newline, or 0 if there is no whole
 * line. */
size_t cg__input_line(struct cg__input *input);

#endif
