/* SPDX-License-Identifier: MIT */
/* Words in an order: a ring for FIFO and LIFO, a binary heap for a comparison. */
#include "config.h"

#include "lib/vocabulary/items.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROOM_MIN = 16
};

bool cg__items_reserve(struct cg__items *items, size_t room)
{
    struct cg__item *at;
    size_t tail;

    if (room <= items->room)
        return true;
    if (room > SIZE_MAX / sizeof *at || (at = malloc(room * sizeof *at)) == NULL)
        return false;
    tail = items->room - items->head; /* up to the end of the ring */
    if (tail > items->count)
        tail = items->count;
    if (items->count) {
        memcpy(at, items->at + items->head, tail * sizeof *at);
        memcpy(at + tail, items->at, (items->count - tail) * sizeof *at);
    }
    free(items->at);
    items->at = at;
    items->room = room;
    items->head = 0;
    return true;
}

static bool before(const struct cg__items *items, struct cg__item a, struct cg__item b)
{
    int order = items->compare(a.word, b.word);

    if (order)
        return order < 0;
    return items->lifo ? a.age > b.age : a.age < b.age;
}

static void rise(struct cg__items *items, size_t i, struct cg__item item)
{
    for (size_t parent; i > 0; i = parent) {
        parent = (i - 1) / 2;
        if (!before(items, item, items->at[parent]))
            break;
        items->at[i] = items->at[parent];
    }
    items->at[i] = item;
}

static void sink(struct cg__items *items, struct cg__item item)
{
    size_t i = 0, child;

    while ((child = 2 * i + 1) < items->count) {
        if (child + 1 < items->count &&
            before(items, items->at[child + 1], items->at[child]))
            child++;
        if (!before(items, items->at[child], item))
            break;
        items->at[i] = items->at[child];
        i = child;
    }
    items->at[i] = item;
}

bool cg__items_push_otherwise(struct cg__items *items, void *word)
{
    struct cg__item item = {word, items->added};

    if (items->count == items->room &&
        !cg__items_reserve(items, items->room ? 2 * items->room : ROOM_MIN))
        return false;
    items->added++;
    if (items->compare)
        rise(items, items->count, item);
    else
        items->at[cg__items_wrap(items, items->head + items->count)] = item;
    items->count++;
    return true;
}

/* The slow path of a pop, for queues that are not first in, first out. The caller has
 * already decremented the count. */
void *cg__items_pop_otherwise(struct cg__items *items)
{
    void *word = items->at[0].word;

    if (!items->compare)
        return items->at[cg__items_wrap(items, items->head + items->count)].word;
    sink(items, items->at[items->count]);
    return word;
}

void cg__items_free(struct cg__items *items)
{
    free(items->at);
}
