/* SPDX-License-Identifier: MIT */
/* A cache of texts by number, each for a short time, shared by all threads. A slot is for all
 * numbers that differ by a multiple of `slots`, so its size is bounded. */
#ifndef COGEN_ADAPTERS_CACHE_H
#define COGEN_ADAPTERS_CACHE_H

#include <stdint.h>

struct cache;

/* Makes a cache whose texts are valid for `life` ns. NULL: no memory. */
struct cache *cache_new(unsigned slots, int64_t life);
void cache_free(struct cache *cache);

/* A copy of a text, which the caller frees; NULL: it is not cached. *drops is for cache_put. */
char *cache_get(struct cache *cache, int64_t number, unsigned *drops);

/* Caches a text that was made after cache_get, unless cache_drop was called meanwhile: then it
 * may be out of date. */
void cache_put(struct cache *cache, int64_t number, const char *text, unsigned drops);

/* To be called after the origin of a text has changed. */
void cache_drop(struct cache *cache, int64_t number);

#endif
