/* SPDX-License-Identifier: MIT */
/* A hash table of names. Each name has a ring of its waiting ops, oldest first; the
 * oldest is linked into its bucket's chain. So the cost of a name does not depend on the
 * number of other names' waiters, and a wait needs no memory besides its op. */
#include "config.h"

#include "lib/vocabulary/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Emits the header's inline functions for callers that do not inline them. */
extern inline struct cg_name cg_name_bytes(const void *data, size_t len);
extern inline struct cg_name cg_name_string(const char *text);
extern inline struct cg_name cg_name_integer(intptr_t number);
extern inline struct cg_name cg_name_pointer(const void *pointer);
extern inline struct cg_name cg_name_itself(struct cg_name name);

static inline bool has_bytes(struct cg_name name)
{
    return name.len < CG__NAME_POINTER;
}

bool cg__names_has_bytes(struct cg_name name)
{
    return has_bytes(name);
}

static inline bool equal(struct cg_name a, struct cg_name b)
{
    if (a.len != b.len)
        return false;
    if (a.data == b.data || a.len == 0)
        return true;
    return has_bytes(a) && memcmp(a.data, b.data, a.len) == 0;
}

const void *cg__names_word(struct cg_name name)
{
    static const struct cg__hash_key none;
    const uintptr_t word[] = {(uintptr_t)name.data, name.len}; /* 1 is not the pointer 0x1 */
    uint64_t hash = has_bytes(name) ? cg__hash_bytes(&none, name.data, name.len)
                                    : cg__hash_bytes(&none, word, sizeof word);

    return (void *)(uintptr_t)hash;
}

int cg__names_print(struct cg_name name, char *buf, size_t size)
{
    if (name.len == CG__NAME_INTEGER)
        return snprintf(buf, size, "%jd", (intmax_t)(intptr_t)name.data);
    if (name.len == CG__NAME_POINTER)
        return snprintf(buf, size, "%p", name.data);
    return snprintf(buf, size, "\"%.*s\"", (int)(name.len < 64 ? name.len : 64),
                    (const char *)name.data);
}

static inline uint64_t hash_word(const struct cg__names *names, struct cg_name name)
{
    return cg__hash_word(&names->key, name.len ^ (uintptr_t)name.data);
}

static inline uint64_t hash(const struct cg__names *names, struct cg_name name)
{
    if (has_bytes(name))
        return cg__hash_bytes(&names->key, name.data, name.len);
    return hash_word(names, name);
}

static void use(struct cg__names *names, struct cg_named **buckets, unsigned bits)
{
    names->buckets = buckets;
    names->size = (size_t)1 << bits;
    names->shift = 64 - bits;
}

void cg__names_init(struct cg__names *names, const struct cg__hash_key *key)
{
    *names = (struct cg__names){.key = *key};
    use(names, names->embedded, CG__NAMES_BITS);
}

void cg__names_free(struct cg__names *names)
{
    if (names->buckets != names->embedded)
        free(names->buckets);
}

/* Finds the place of the pointer to the first op of a name, whether there is one or
 * not. */
static inline struct cg_named **locate(const struct cg__names *names, struct cg_name name)
{
    struct cg_named **at = &names->buckets[hash(names, name) >> names->shift];

    while (*at && !equal((*at)->name, name))
        at = &(*at)->chain;
    return at;
}

/* Fast path of locate for an integer or a pointer that is first in its bucket, or whose
 * bucket is empty; NULL: use locate. A separate function, because it calls nothing and
 * so saves no registers. */
static inline struct cg_named **glance(const struct cg__names *names, struct cg_name name)
{
    struct cg_named **at;

    if (has_bytes(name))
        return NULL;
    at = &names->buckets[hash_word(names, name) >> names->shift];
    if (*at && ((*at)->name.data != name.data || (*at)->name.len != name.len))
        return NULL;
    return at;
}

struct cg_named *cg__names_find(const struct cg__names *names, struct cg_name name)
{
    return *locate(names, name);
}

/* Doubles the number of buckets. If there is no memory, the chains grow longer instead. */
static void grow(struct cg__names *names)
{
    struct cg_named **old = names->buckets, *next;
    size_t size = names->size;
    struct cg_named **buckets = calloc(2 * size, sizeof(struct cg_named *));

    if (buckets == NULL)
        return;
    use(names, buckets, 65 - names->shift);
    for (size_t i = 0; i < size; i++)
        for (struct cg_named *first = old[i]; first; first = next) {
            struct cg_named **at = &buckets[hash(names, first->name) >> names->shift];

            next = first->chain;
            first->chain = *at;
            *at = first;
        }
    if (old != names->embedded)
        free(old);
}

static inline void link_before(struct cg_named *named, struct cg_named *next)
{
    named->next = next;
    named->prev = next->prev;
    next->prev->next = named;
    next->prev = named;
}

static inline void add_at(struct cg__names *names, struct cg_named **at,
                          struct cg_named *named)
{
    if (*at) {
        link_before(named, *at);
        return;
    }
    named->next = named->prev = named;
    named->chain = NULL;
    *at = named;
    if (++names->count > names->size)
        grow(names);
}

__attribute__((noinline)) static void add(struct cg__names *names, struct cg_named *named)
{
    add_at(names, locate(names, named->name), named);
}

void cg__names_add(struct cg__names *names, struct cg_named *named)
{
    struct cg_named **at = glance(names, named->name);

    if (at)
        add_at(names, at, named);
    else
        add(names, named);
}

void cg__names_insert(struct cg__names *names, struct cg_named *named,
                      struct cg_named *next)
{
    struct cg_named **at = locate(names, named->name);

    link_before(named, next);
    if (*at == next) {
        named->chain = next->chain;
        *at = named;
    }
}

/* Removes an entry from its ring. `at` is the result of locate for its name. */
static inline void unlink_at(struct cg__names *names, struct cg_named **at,
                             struct cg_named *named)
{
    struct cg_named *next = named->next;

    if (*at == named) { /* the next in its ring replaces it in the chain */
        if (next == named) {
            *at = named->chain;
            names->count--;
        } else {
            next->chain = named->chain;
            *at = next;
        }
    }
    next->prev = named->prev;
    named->prev->next = next;
}

void cg__names_remove(struct cg__names *names, struct cg_named *named)
{
    unlink_at(names, locate(names, named->name), named);
}

static inline struct cg_named *take_at(struct cg__names *names, struct cg_named **at,
                                       bool *more)
{
    struct cg_named *named = *at;

    if (named == NULL)
        return NULL;
    *more = named->next != named;
    unlink_at(names, at, named);
    return named;
}

__attribute__((noinline)) static struct cg_named *take(struct cg__names *names,
                                                       struct cg_name name, bool *more)
{
    return take_at(names, locate(names, name), more);
}

struct cg_named *cg__names_take(struct cg__names *names, struct cg_name name, bool *more)
{
    struct cg_named **at = glance(names, name);

    return at ? take_at(names, at, more) : take(names, name, more);
}
