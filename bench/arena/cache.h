/* SPDX-License-Identifier: MIT */
/* A cache of the texts of single items, for 200 ms each. It has a bounded size, and all
 * workers share it. */
#ifndef COGEN_ARENA_CACHE_H
#define COGEN_ARENA_CACHE_H

/* Must be called before the others; once is enough. From any thread. */
void cache_init(void);

/* A copy of the text, which the caller frees; NULL: it is not cached. *writes is for
 * cache_put. */
char *cache_get(long long id, unsigned *writes);

/* Caches a text that was read after cache_get, unless cache_drop was called meanwhile: then
 * it may be older than that. */
void cache_put(long long id, const char *text, unsigned writes);

/* To be called after an item has changed. */
void cache_drop(long long id);

#endif
