/* SPDX-License-Identifier: MIT */
/* A cache of the responses of name servers, for as long as they allow it
 * (resolve_cache.c). */
#ifndef COGEN_SOCKETS_RESOLVE_RESOLVE_CACHE_H
#define COGEN_SOCKETS_RESOLVE_RESOLVE_CACHE_H

#include <cogen/resolve.h>

#include "lib/base/hash.h"

enum {
    CG__CACHE_SETS_BITS = 6,
    CG__CACHE_SETS = 1 << CG__CACHE_SETS_BITS,
    CG__CACHE_WAYS = 4, /* a host has one of so many places */
};

_Static_assert(CG__CACHE_SETS *CG__CACHE_WAYS == CG_RESOLVER_CACHE, "as the header says");

struct cg__cached;

/* All zero at first, except for the key. */
struct cg__resolve_cache {
    struct cg__hash_key key;
    struct cg__cached *places[CG__CACHE_SETS][CG__CACHE_WAYS];
};

void cg__resolve_cache_init(struct cg__resolve_cache *cache);

/* Finds what is cached for a host and a key, and stores it in *data. Returns the cached
 * result, a number of records or an error; 0: nothing is cached, or it has expired. */
int cg__resolve_cache_find(const struct cg__resolve_cache *cache, const char *host, int key,
                           int64_t now, void *data);

/* Caches len bytes of data (result > 0) or an error until a moment. Does nothing if there
 * is no memory. */
void cg__resolve_cache_put(struct cg__resolve_cache *cache, const char *host, int key,
                           int result, const void *data, size_t len, int64_t now,
                           int64_t until);

/* Empties the cache and frees its memory. */
void cg__resolve_cache_clear(struct cg__resolve_cache *cache);

#endif
