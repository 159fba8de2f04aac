/* SPDX-License-Identifier: MIT */
/* Coroutine-local values: a short array of pairs, searched from its end, which the first
 * set allocates. Programs have a handful of keys, for which no table is faster. */
#include "config.h"

#include "lib/core/coro.h"

#include <cogen/local.h>

#include <errno.h>
#include <stdlib.h>

enum {
    ROOM_MIN = 4
};

struct locals {
    struct cg__leaving leaving;
    size_t room, count;
    struct pair {
        const struct cg_local *key;
        void *value; /* not NULL */
    } pairs[];
};

/* Returns NULL if the coroutine has no values. */
static struct locals *locals_of(const struct cg_coro *coro)
{
    return (struct locals *)coro->leaving;
}

static struct pair *find(struct locals *locals, const struct cg_local *key)
{
    for (size_t i = locals ? locals->count : 0; i-- > 0;)
        if (locals->pairs[i].key == key)
            return &locals->pairs[i];
    return NULL;
}

/* The coroutine ends. A destructor may set values again, those of other keys too. */
static void destroy_all(struct cg_coro *self)
{
    while (locals_of(self)->count) {
        struct locals *locals = locals_of(self);
        struct pair pair = locals->pairs[--locals->count];

        if (pair.key->destroy)
            pair.key->destroy(pair.value);
    }
    free(self->leaving);
    self->leaving = NULL;
}

static bool grow(struct cg_coro *coro)
{
    struct locals *locals = locals_of(coro);
    size_t room = locals ? 2 * locals->room : ROOM_MIN,
           count = locals ? locals->count : 0;

    locals = realloc(locals, sizeof *locals + room * sizeof locals->pairs[0]);
    if (locals == NULL)
        return false;
    locals->leaving.fn = destroy_all;
    locals->room = room;
    locals->count = count;
    coro->leaving = &locals->leaving;
    return true;
}

void *cg_local_get(const struct cg_local *key)
{
    struct cg_coro *self = cg__coro_self ? cg__coro_visible(cg__coro_self) : NULL;
    struct pair *pair = self ? find(locals_of(self), key) : NULL;

    return pair ? pair->value : NULL;
}

int cg_local_set(const struct cg_local *key, void *value)
{
    struct cg_coro *self = cg__coro_self ? cg__coro_visible(cg__coro_self) : NULL;
    struct locals *locals;
    struct pair *pair, *end;

    if (self == NULL)
        return -EPERM;
    locals = locals_of(self);
    pair = find(locals, key);
    if (pair && value) {
        pair->value = value;
    } else if (pair) {
        end = locals->pairs + --locals->count;
        for (; pair < end; pair++)
            *pair = pair[1];
    } else if (value) {
        if ((!locals || locals->count == locals->room) && !grow(self))
            return -ENOMEM;
        locals = locals_of(self);
        locals->pairs[locals->count++] = (struct pair){key, value};
    }
    return 0;
}
