/* SPDX-License-Identifier: MIT */
/* The unread input of a stream: a list of chunks of the reactor's pool. With nothing unread
 * it holds no chunk. */
#ifndef COGEN_SOCKETS_INPUT_H
#define COGEN_SOCKETS_INPUT_H

#include <cogen/reactor.h>

struct cg__input {
    struct cg_chunk *first, *last;
    size_t unread;  /* bytes */
    size_t scanned; /* that many of them, from the first on, are known to be no newline */
};

/* Appends a filled chunk, which is taken over; one whose bytes fit behind the last is
 * copied there and given back, so that many small arrivals do not hold many chunks. */
void cg__input_add(struct cg_reactor *reactor, struct cg__input *input,
                   struct cg_chunk *chunk);

/* The same with a chunk that is not empty where nothing is unread. */
static inline void cg__input_begin(struct cg__input *input, struct cg_chunk *chunk)
{
    chunk->next = NULL;
    chunk->lent = 0;
    input->first = input->last = chunk;
    input->unread = chunk->end - chunk->start;
}

/* Appends a copy of bytes; answers how many: less than size only if there is no memory. */
size_t cg__input_push(struct cg_reactor *reactor, struct cg__input *input,
                      const void *data, size_t size);

/* Where a caller may put at most *room bytes itself, before cg__input_grow counts them;
 * NULL: no memory. */
char *cg__input_room(struct cg_reactor *reactor, struct cg__input *input, size_t *room);
void cg__input_grow(struct cg__input *input, size_t size);

/* Copies out and drops at most len bytes; answers how many. */
size_t cg__input_read(struct cg_reactor *reactor, struct cg__input *input, void *buf,
                      size_t len);

/* Drops that many bytes, all of which are there. */
void cg__input_drop(struct cg_reactor *reactor, struct cg__input *input, size_t size);

/* Takes the first chunk out; NULL: nothing is unread. */
struct cg_chunk *cg__input_shift(struct cg__input *input);

/* The length of the first line, its newline included; 0: there is no whole line. */
size_t cg__input_line(struct cg__input *input);

#endif
