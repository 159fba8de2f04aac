/* SPDX-License-Identifier: MIT */
/* The table of stored responses, the order of their last use, and the memory that they take. */
#ifndef COGEN_HTTP_CACHE_CACHE_LIST_H
#define COGEN_HTTP_CACHE_CACHE_LIST_H

#include "http/cache/cache.h"

uint64_t cg__http_cache_hash(const struct cg_http_cache *cache, const char *url);

static inline struct cg__cache_bucket *cg__http_cache_bucket(const struct cg_http_cache *cache,
                                                             uint64_t hash)
{
    return &cache->buckets[hash & cache->mask];
}

/* The first response of a URL in a bucket's list from `at` on; NULL: none. */
struct cg__cached *cg__http_cache_seek(struct cg__cached *at, uint64_t hash, const char *url);

/* Puts a response into the table. */
void cg__http_cache_link(struct cg__cached *cached);

/* Makes a response the one that was used last. */
void cg__http_cache_touch(struct cg__cached *cached);

/* Sets how many bytes a response counts. If the cache then has too many, responses that were not
 * used for the longest time are removed; one that a reply still reads counts until the reply is
 * freed. False: this exceeds a limit, and the response counts as before. */
bool cg__http_cache_charge(struct cg__cached *cached, size_t bytes);

#endif
