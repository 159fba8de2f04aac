/* SPDX-License-Identifier: MIT */
/* Coroutine-local values: a short array of pairs that is searched from its end, allocated
 * by the first set. Programs have a handful of keys, for which no table is faster. */
#include "config.h"

#include "lib/core/coro.h"

#include <cogen/local.h>

#include <errno.h>
#include <stdlib.h>

enum {
    ROOM_MIN = 4
};

struct cg__locals {
    size_t room, count;
    struct pair {
        const struct cg_local *key;
        void *value; /* not NULL */
    } pairs[];
};

static struct pair *find(struct cg__locals *locals, const struct cg_local *key)
{
    for (size_t i = locals ? locals->count : 0; i-- > 0;)
        if (locals->pairs[i].key == key)
            return &locals->pairs[i];
    return NULL;
}

static bool grow(struct cg_coro *coro)
{
    struct cg__locals *locals = coro->locals;
    size_t room = locals ? 2 * locals->room : ROOM_MIN,
           count = locals ? locals->count : 0;

    locals = realloc(locals, sizeof *locals + room * sizeof locals->pairs[0]);
    if (locals == NULL)
        return false;
    locals->room = room;
    locals->count = count;
    coro->locals = locals;
    return true;
}

void *cg_local_get(const struct cg_local *key)
{
    struct cg_coro *self = cg__coro_self ? cg__coro_visible(cg__coro_self) : NULL;
    struct pair *pair = self ? find(self->locals, key) : NULL;

    return pair ? pair->value : NULL;
}

int cg_local_set(const struct cg_local *key, void *value)
{
    struct cg_coro *self = cg__coro_self ? cg__coro_visible(cg__coro_self) : NULL;
    struct pair *pair, *end;

    if (self == NULL)
        return -EPERM;
    pair = find(self->locals, key);
    if (pair && value) {
        pair->value = value;
    } else if (pair) {
        end = self->locals->pairs + --self->locals->count;
        for (; pair < end; pair++)
            *pair = pair[1];
    } else if (value) {
        if ((!self->locals || self->locals->count == self->locals->room) && !grow(self))
            return -ENOMEM;
        self->locals->pairs[self->locals->count++] = (struct pair){key, value};
    }
    return 0;
}

/* A destructor may set values again, those of other keys too. */
void cg__local_end(struct cg_coro *self)
{
    while (self->locals->count) {
        struct pair pair = self->locals->pairs[--self->locals->count];

        if (pair.key->destroy)
            pair.key->destroy(pair.value);
    }
    free(self->locals);
    self->locals = NULL;
}
