/* SPDX-License-Identifier: MIT */
/* Things are found by kind and address, in a hash table with chains. The addresses come from
 * the program itself, so the hash needs no secret. */
#include "config.h"

#include "lib/insight/left.h"

#include "lib/base/hash.h"

#include <errno.h>
#include <stdlib.h>

int cg__left_init(struct cg__lefts *lefts)
{
    *lefts = (struct cg__lefts){.mask = 63};
    lefts->table = calloc(lefts->mask + 1, sizeof *lefts->table);
    return lefts->table ? 0 : -ENOMEM;
}

static void free_all(struct cg__left *left)
{
    struct cg__left *next;

    for (; left; left = next) {
        next = left->next;
        free(left);
    }
}

void cg__left_free(struct cg__lefts *lefts)
{
    for (int kind = 0; kind < CG__DEBUG_KINDS; kind++)
        free_all(lefts->first[kind]);
    free(lefts->table);
}

static size_t place_of(const struct cg__lefts *lefts, unsigned kind, const void *thing)
{
    return cg__hash_own((uintptr_t)thing ^ kind) & lefts->mask;
}

/* The link to the entry of a thing, or to the NULL at the end of its chain. */
static struct cg__left **find(struct cg__lefts *lefts, unsigned kind, const void *thing)
{
    struct cg__left **link = &lefts->table[place_of(lefts, kind, thing)];

    while (*link && ((*link)->thing != thing || (*link)->kind != kind))
        link = &(*link)->chain;
    return link;
}

/* Twice as many places; if there is no memory, the chains become longer. */
static void grow(struct cg__lefts *lefts)
{
    size_t old = lefts->mask + 1;
    struct cg__left **table = lefts->table, *left, *next, **link;
    struct cg__left **bigger = calloc(old * 2, sizeof *bigger);

    if (bigger == NULL)
        return;
    lefts->table = bigger;
    lefts->mask = old * 2 - 1;
    for (size_t i = 0; i < old; i++)
        for (left = table[i]; left; left = next) {
            next = left->chain;
            link = &bigger[place_of(lefts, left->kind, left->thing)];
            left->chain = *link;
            *link = left;
        }
    free(table);
}

struct cg__left *cg__left_put(struct cg__lefts *lefts, enum cg__debug_kind kind,
                              const void *thing)
{
    struct cg__left **link = find(lefts, kind, thing), *left = *link;

    if (left)
        return left;
    if ((left = calloc(1, sizeof *left)) == NULL) {
        lefts->lost++;
        return NULL;
    }
    left->thing = thing;
    left->kind = kind;
    left->prev = lefts->last[kind];
    *(left->prev ? &left->prev->next : &lefts->first[kind]) = left;
    lefts->last[kind] = left;
    *link = left;
    lefts->counts[kind]++;
    if (++lefts->count > lefts->mask)
        grow(lefts);
    return left;
}

struct cg__left *cg__left_find(struct cg__lefts *lefts, enum cg__debug_kind kind,
                               const void *thing)
{
    return *find(lefts, kind, thing);
}

void cg__left_remove(struct cg__lefts *lefts, enum cg__debug_kind kind, const void *thing)
{
    struct cg__left **link = find(lefts, kind, thing), *left = *link;

    if (left == NULL)
        return;
    *link = left->chain;
    *(left->prev ? &left->prev->next : &lefts->first[kind]) = left->next;
    *(left->next ? &left->next->prev : &lefts->last[kind]) = left->prev;
    lefts->count--;
    lefts->counts[kind]--;
    free(left);
}
