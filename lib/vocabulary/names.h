/* SPDX-License-Identifier: MIT */
/* A hash table of names. Its entries are embedded in waiting operations, so that a wait
 * allocates nothing. The entries of one name form a ring. */
#ifndef COGEN_LIB_VOCABULARY_NAMES_H
#define COGEN_LIB_VOCABULARY_NAMES_H

#include "lib/base/hash.h"

#include <cogen/signal.h>

enum {
    CG__NAMES_BITS = 4, /* log2 of the number of buckets before the first growth */
    CG__NAMES_FIRST = 1 << CG__NAMES_BITS,
};

struct cg__names {
    struct cg_named **buckets;
    size_t size;  /* of buckets, a power of two */
    size_t count; /* names */
    struct cg__hash_key key;
    unsigned shift; /* turns a hash into the number of a bucket */
    struct cg_named *embedded[CG__NAMES_FIRST];
};

void cg__names_init(struct cg__names *names, const struct cg__hash_key *key);
void cg__names_free(struct cg__names *names);

/* Whether the name consists of bytes, not of an integer or a pointer. */
bool cg__names_has_bytes(struct cg_name name);

/* A word that is the same for equal names, and very likely different for others. */
const void *cg__names_word(struct cg_name name);

/* Prints it as snprintf does. */
int cg__names_print(struct cg_name name, char *buf, size_t size);

/* The first entry of a name, whose ring has the others in the order of arrival; NULL:
 * none. */
struct cg_named *cg__names_find(const struct cg__names *names, struct cg_name name);

/* Adds an entry at the end of its name's ring. */
void cg__names_add(struct cg__names *names, struct cg_named *named);

/* Like cg__names_add, but adds it before `next`, which is in the ring of the name. */
void cg__names_insert(struct cg__names *names, struct cg_named *named,
                      struct cg_named *next);

void cg__names_remove(struct cg__names *names, struct cg_named *named);

/* Removes and returns the first entry of a name; NULL: none. *more: whether others are
 * left. */
struct cg_named *cg__names_take(struct cg__names *names, struct cg_name name, bool *more);

#endif
