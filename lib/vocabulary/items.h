/* SPDX-License-Identifier: MIT */
/* Words in an order: first in, first out; last in, first out; or by comparison. */
#ifndef COGEN_LIB_VOCABULARY_ITEMS_H
#define COGEN_LIB_VOCABULARY_ITEMS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cg__item {
    void *word;
    uint64_t age; /* its number in the order of arrival, if words are compared */
};

struct cg__items {
    struct cg__item *at; /* a ring from `head` on; a heap at 0 */
    size_t room, count, head;
    uint64_t added;
    bool lifo;
    int (*compare)(const void *a, const void *b);
};

/* Makes room for `room` words in all. False: no memory, and nothing has changed. */
bool cg__items_reserve(struct cg__items *items, size_t room);

/* The slow paths of push and pop: no room is left, words are compared, or the order is
 * LIFO. */
bool cg__items_push_otherwise(struct cg__items *items, void *word);
void *cg__items_pop_otherwise(struct cg__items *items);

/* Wraps an index that is less than twice the size of the ring. */
static inline size_t cg__items_wrap(const struct cg__items *items, size_t i)
{
    return i < items->room ? i : i - items->room;
}

/* Adds a word; false: no memory. Cannot fail where room was reserved. */
static inline bool cg__items_push(struct cg__items *items, void *word)
{
    if (items->compare || items->count == items->room)
        return cg__items_push_otherwise(items, word);
    items->at[cg__items_wrap(items, items->head + items->count++)].word = word;
    return true;
}

/* Removes and returns the first word; there must be one. */
static inline void *cg__items_pop(struct cg__items *items)
{
    size_t i = items->head;

    assert(items->count > 0);
    items->count--;
    if (items->compare || items->lifo)
        return cg__items_pop_otherwise(items);
    items->head = cg__items_wrap(items, i + 1);
    return items->at[i].word;
}

void cg__items_free(struct cg__items *items);

#endif
