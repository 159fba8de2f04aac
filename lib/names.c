/* SPDX-License-Identifier: MIT */
/* Who waits for which name. Each name has a ring of its waiters, oldest first; the oldest
 * stands in a bucket's chain. So a name costs the same whether others have one waiter or a
 * million, and a wait needs no memory but its op.
 *
 * The hash is written out here because it must cost a few ns for an integer and be seeded:
 * names may come from strangers. */
#include "config.h"

#include "lib/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For those who do not inline them. */
extern inline struct cg_name cg_name_bytes(const void *data, size_t size);
extern inline struct cg_name cg_name_string(const char *text);
extern inline struct cg_name cg_name_integer(intptr_t number);
extern inline struct cg_name cg_name_pointer(const void *pointer);
extern inline struct cg_name cg_name_itself(struct cg_name name);

static inline bool has_bytes(struct cg_name name)
{
    return name.size < CG__NAME_POINTER;
}

bool cg__name_has_bytes(struct cg_name name)
{
    return has_bytes(name);
}

static inline bool equal(struct cg_name a, struct cg_name b)
{
    if (a.size != b.size)
        return false;
    if (a.data == b.data || a.size == 0)
        return true;
    return has_bytes(a) && memcmp(a.data, b.data, a.size) == 0;
}

bool cg__name_equal(struct cg_name a, struct cg_name b)
{
    return equal(a, b);
}

int cg__name_print(struct cg_name name, char *buf, size_t size)
{
    if (name.size == CG__NAME_INTEGER)
        return snprintf(buf, size, "%jd", (intmax_t)(intptr_t)name.data);
    if (name.size == CG__NAME_POINTER)
        return snprintf(buf, size, "%p", name.data);
    return snprintf(buf, size, "\"%.*s\"", (int)(name.size < 64 ? name.size : 64),
                    (const char *)name.data);
}

static inline uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0x9e3779b97f4a7c15);
    return x ^ x >> 29;
}

static inline uint64_t word_at(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* A name of less than 8 bytes as a word: each of its bytes is in there. */
static inline uint64_t short_word(const char *at, size_t size)
{
    uint32_t first, last;

    if (size < 4)
        return size ? (unsigned char)at[0] | (unsigned char)at[size / 2] << 8 |
                          (unsigned char)at[size - 1] << 16
                    : 0;
    memcpy(&first, at, sizeof first);
    memcpy(&last, at + size - 4, sizeof last);
    return (uint64_t)first << 32 | last;
}

static uint64_t hash_bytes(uint64_t seed, const char *at, size_t size)
{
    uint64_t h = seed ^ size;

    if (size < 8)
        return mix(mix(h ^ short_word(at, size)) + seed);
    for (; size > 8; size -= 8, at += 8)
        h = mix(h ^ word_at(at)) + seed;
    return mix(mix(h ^ word_at(at + size - 8)) + seed); /* some bytes for the second time */
}

static inline uint64_t hash_word(const struct cg__names *names, struct cg_name name)
{
    return mix(names->seed ^ name.size ^ (uintptr_t)name.data);
}

static inline uint64_t hash(const struct cg__names *names, struct cg_name name)
{
    if (has_bytes(name))
        return hash_bytes(names->seed, name.data, name.size);
    return hash_word(names, name);
}

void cg__names_init(struct cg__names *names, uint64_t seed)
{
    *names = (struct cg__names){.size = CG__NAMES_FIRST, .seed = mix(seed)};
    names->buckets = names->embedded;
}

void cg__names_free(struct cg__names *names)
{
    if (names->buckets != names->embedded)
        free(names->buckets);
}

static struct cg_wait_signal_op *as_wait(struct cg_op *op)
{
    return (struct cg_wait_signal_op *)op;
}

/* Where the pointer to a name's first waiter is, or would be. */
static inline struct cg_wait_signal_op **locate(struct cg__names *names,
                                                struct cg_name name)
{
    struct cg_wait_signal_op **at = &names->buckets[hash(names, name) & (names->size - 1)];

    while (*at && !equal((*at)->name, name))
        at = (struct cg_wait_signal_op **)&(*at)->chain;
    return at;
}

/* The same for nearly every integer or pointer, which is the first in its bucket or alone
 * there; NULL: look more closely. Apart, because what calls nothing has no registers to save. */
static inline struct cg_wait_signal_op **glance(struct cg__names *names,
                                                struct cg_name name)
{
    struct cg_wait_signal_op **at;

    if (has_bytes(name))
        return NULL;
    at = &names->buckets[hash_word(names, name) & (names->size - 1)];
    if (*at && ((*at)->name.data != name.data || (*at)->name.size != name.size))
        return NULL;
    return at;
}

struct cg_wait_signal_op *cg__names_find(struct cg__names *names, struct cg_name name)
{
    return *locate(names, name);
}

/* Twice as many buckets; without memory for them the chains grow longer instead. */
static void grow(struct cg__names *names)
{
    size_t size = names->size * 2;
    struct cg_wait_signal_op **buckets = calloc(size, sizeof *buckets);

    if (buckets == NULL)
        return;
    for (size_t i = 0; i < names->size; i++)
        for (struct cg_wait_signal_op *op = names->buckets[i], *next; op; op = next) {
            struct cg_wait_signal_op **at = &buckets[hash(names, op->name) & (size - 1)];

            next = as_wait(op->chain);
            op->chain = *at ? &(*at)->op : NULL;
            *at = op;
        }
    cg__names_free(names);
    names->buckets = buckets;
    names->size = size;
}

static inline void add_at(struct cg__names *names, struct cg_wait_signal_op **at,
                          struct cg_wait_signal_op *op)
{
    struct cg_wait_signal_op *first = *at;

    if (first == NULL) {
        op->next = op->prev = &op->op;
        op->chain = NULL;
        *at = op;
        if (++names->count > names->size)
            grow(names);
        return;
    }
    op->next = &first->op;
    op->prev = first->prev;
    as_wait(first->prev)->next = &op->op;
    first->prev = &op->op;
}

__attribute__((noinline)) static void add(struct cg__names *names,
                                          struct cg_wait_signal_op *op)
{
    add_at(names, locate(names, op->name), op);
}

void cg__names_add(struct cg__names *names, struct cg_wait_signal_op *op)
{
    struct cg_wait_signal_op **at = glance(names, op->name);

    if (at)
        add_at(names, at, op);
    else
        add(names, op);
}

/* Takes an op out of its ring; `at`: where its name is located. */
static inline void unlink_at(struct cg__names *names, struct cg_wait_signal_op **at,
                             struct cg_wait_signal_op *op)
{
    struct cg_wait_signal_op *next = as_wait(op->next);

    if (*at == op) { /* the next of its ring takes its place in the chain */
        if (next == op) {
            *at = as_wait(op->chain);
            names->count--;
        } else {
            next->chain = op->chain;
            *at = next;
        }
    }
    next->prev = op->prev;
    as_wait(op->prev)->next = op->next;
}

void cg__names_remove(struct cg__names *names, struct cg_wait_signal_op *op)
{
    unlink_at(names, locate(names, op->name), op);
}

static inline struct cg_wait_signal_op *take_at(struct cg__names *names,
                                                struct cg_wait_signal_op **at,
                                                bool *more)
{
    struct cg_wait_signal_op *op = *at;

    if (op == NULL)
        return NULL;
    *more = op->next != &op->op;
    unlink_at(names, at, op);
    return op;
}

__attribute__((noinline)) static struct cg_wait_signal_op *
take(struct cg__names *names, struct cg_name name, bool *more)
{
    return take_at(names, locate(names, name), more);
}

struct cg_wait_signal_op *cg__names_take(struct cg__names *names, struct cg_name name,
                                         bool *more)
{
    struct cg_wait_signal_op **at = glance(names, name);

    return at ? take_at(names, at, more) : take(names, name, more);
}
