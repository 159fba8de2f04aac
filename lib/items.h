/* SPDX-License-Identifier: MIT */
/* Words in an order: first in, first out; last in, first out; or by comparison. */
#ifndef COGEN_LIB_ITEMS_H
#define COGEN_LIB_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cg__item {
    void *word;
    uint64_t age; /* the number of its coming, where they are compared */
};

struct cg__items {
    struct cg__item *at; /* a ring from `head` on; a heap at 0 */
    size_t room, count, head;
    uint64_t added;
    bool lifo;
    int (*compare)(const void *a, const void *b);
};

/* Makes room for so many in all. False: no memory, nothing has changed. */
bool cg__items_reserve(struct cg__items *items, size_t room);

/* Adds a word; false: no memory. Cannot fail where room was reserved. */
bool cg__items_push(struct cg__items *items, void *word);

/* Takes out the first in the order; there must be one. */
void *cg__items_pop(struct cg__items *items);

void cg__items_free(struct cg__items *items);

#endif
