/* SPDX-License-Identifier: MIT */
/* The unread input of a stream. A chunk in the list always holds unread bytes, except
 * between cg__input_room and cg__input_grow. */
#include "config.h"

#include "sockets/input.h"

#include <assert.h>
#include <string.h>

static void append(struct cg__input *input, struct cg_chunk *chunk)
{
    chunk->next = NULL;
    chunk->lent = 0;
    if (input->last != NULL)
        input->last->next = chunk;
    else
        input->first = chunk;
    input->last = chunk;
}

void cg__input_add(struct cg_reactor *reactor, struct cg__input *input,
                   struct cg_chunk *chunk)
{
    size_t size = chunk->end - chunk->start;
    struct cg_chunk *last = input->last;

    if (size == 0) {
        cg_chunk_put(reactor, chunk);
        return;
    }
    input->unread += (uint32_t)size;
    if (last == NULL || last->size - last->end < size) {
        append(input, chunk);
        return;
    }
    /* Safe while a view is lent: the bytes go behind the end of the view. */
    memcpy(last->data + last->end, chunk->data + chunk->start, size);
    last->end += size;
    cg_chunk_put(reactor, chunk);
}

char *cg__input_room(struct cg_reactor *reactor, struct cg__input *input, size_t *room)
{
    struct cg_chunk *chunk = input->last;

    if (chunk == NULL || chunk->end == chunk->size) {
        chunk = cg_chunk_get(reactor);
        if (chunk == NULL)
            return NULL;
        append(input, chunk);
    }
    *room = chunk->size - chunk->end;
    return chunk->data + chunk->end;
}

void cg__input_grow(struct cg__input *input, size_t size)
{
    assert(size <= input->last->size - input->last->end);
    input->last->end += size;
    input->unread += (uint32_t)size;
}

size_t cg__input_push(struct cg_reactor *reactor, struct cg__input *input,
                      const void *data, size_t size)
{
    size_t done = 0, room;
    char *to;

    if (size > UINT32_MAX - input->unread)
        return 0;
    while (done < size && (to = cg__input_room(reactor, input, &room)) != NULL) {
        if (room > size - done)
            room = size - done;
        memcpy(to, (const char *)data + done, room);
        cg__input_grow(input, room);
        done += room;
    }
    return done;
}

static void forget_scanned(struct cg__input *input, size_t size)
{
    input->scanned -= size < input->scanned ? (uint32_t)size : input->scanned;
}

struct cg_chunk *cg__input_shift(struct cg__input *input)
{
    struct cg_chunk *chunk = input->first;
    size_t size;

    if (chunk == NULL)
        return NULL;
    size = chunk->end - chunk->start;
    input->first = chunk->next;
    if (input->first == NULL)
        input->last = NULL;
    chunk->next = NULL;
    input->unread -= (uint32_t)size;
    forget_scanned(input, size);
    return chunk;
}

void cg__input_drop(struct cg_reactor *reactor, struct cg__input *input, size_t size)
{
    struct cg_chunk *chunk = input->first;

    assert(size <= input->unread);
    /* fast path: all bytes of the only chunk */
    if (chunk != NULL && chunk->next == NULL && size == input->unread) {
        *input = (struct cg__input){.first = NULL};
        cg_chunk_put(reactor, chunk);
        return;
    }
    while ((chunk = input->first) != NULL) {
        size_t held = chunk->end - chunk->start;

        if (size < held) {
            chunk->start += size;
            input->unread -= (uint32_t)size;
            forget_scanned(input, size);
            return;
        }
        size -= held;
        cg_chunk_put(reactor, cg__input_shift(input));
    }
}

/* Moves bytes of the chunks behind the first one into it. */
static void pull(struct cg_reactor *reactor, struct cg__input *input, size_t size)
{
    struct cg_chunk *first = input->first, *next;

    while (first->end < size) {
        size_t n = size - first->end;

        next = first->next;
        if (n > next->end - next->start)
            n = next->end - next->start;
        memcpy(first->data + first->end, next->data + next->start, n);
        first->end += (uint32_t)n;
        next->start += (uint32_t)n;
        if (next->start < next->end)
            continue;
        first->next = next->next;
        if (input->last == next)
            input->last = first;
        cg_chunk_put(reactor, next);
    }
}

bool cg__input_gather_more(struct cg_reactor *reactor, struct cg__input *input, size_t size)
{
    struct cg_chunk *first = input->first, *large;
    size_t held = first->end - first->start;

    assert(size <= input->unread && first->lent == 0 && held < size);
    if (first->size < size) {
        large = cg_chunk_get_large(reactor, size);
        if (large == NULL)
            return false;
        memcpy(large->data, first->data + first->start, held);
        large->next = first->next;
        input->first = large;
        cg_chunk_put(reactor, first); /* not the last one: more bytes are behind it */
    } else {
        large = first;
        memmove(first->data, first->data + first->start, held);
    }
    large->start = 0;
    large->end = (uint32_t)held;
    pull(reactor, input, size);
    return true;
}

size_t cg__input_read(struct cg_reactor *reactor, struct cg__input *input, void *buf,
                      size_t len)
{
    size_t done = 0;

    while (done < len && input->first != NULL) {
        struct cg_chunk *chunk = input->first;
        size_t size = chunk->end - chunk->start;

        if (size > len - done)
            size = len - done;
        memcpy((char *)buf + done, chunk->data + chunk->start, size);
        cg__input_drop(reactor, input, size);
        done += size;
    }
    return done;
}

size_t cg__input_line(struct cg__input *input)
{
    size_t before = 0; /* bytes in the chunks before this one */

    for (struct cg_chunk *chunk = input->first; chunk != NULL; chunk = chunk->next) {
        size_t size = chunk->end - chunk->start;

        if (before + size > input->scanned) {
            const char *data = chunk->data + chunk->start;
            size_t skip = input->scanned - before;
            const char *found = memchr(data + skip, '\n', size - skip);

            if (found != NULL) {
                /* Stop at the newline, not behind it: if the line does not fit its
                 * reader now, the next search finds it at once. */
                input->scanned = (uint32_t)(before + (size_t)(found - data));
                return input->scanned + 1;
            }
            input->scanned = (uint32_t)(before + size);
        }
        before += size;
    }
    return 0;
}
