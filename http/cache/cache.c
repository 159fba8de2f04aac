/* SPDX-License-Identifier: MIT */
/* A cache: its options, and what it finds and removes. */
#include "config.h"

#include "http/cache/cache.h"
#include "http/cache/cache_list.h"
#include "http/cache/cache_vary.h"
#include "http/message/url.h"

#include <cogen/base.h>
#include <stdlib.h>

enum {
    USUAL = 16 * 1024, /* bytes of a response, as the size of the table assumes */
    BUCKETS_LEAST = 64,
    BUCKETS_MOST = 64 * 1024,
};

static size_t bucket_count(size_t bytes)
{
    size_t count = BUCKETS_LEAST;

    while (count < BUCKETS_MOST && count < bytes / USUAL)
        count *= 2;
    return count;
}

static void complete(struct cg_http_cache_options *limits)
{
    if (limits->bytes == 0)
        limits->bytes = CG_HTTP_CACHE_BYTES;
    if (limits->object == 0)
        limits->object = limits->bytes / 4 < CG_HTTP_CACHE_OBJECT ? limits->bytes / 4
                                                                  : CG_HTTP_CACHE_OBJECT;
}

struct cg_http_cache *cg_http_cache_new_with(const struct cg_http_cache_options *options)
{
    struct cg_http_cache *cache = calloc(1, sizeof *cache);

    if (cache == NULL)
        return NULL;
    if (options != NULL)
        cache->limits = *options;
    complete(&cache->limits);
    cache->mask = bucket_count(cache->limits.bytes) - 1;
    cache->buckets = calloc(cache->mask + 1, sizeof *cache->buckets);
    cache->refs = 1;
    cg__hash_key_init(&cache->key);
    if (cache->buckets != NULL)
        return cache;
    free(cache);
    return NULL;
}

void cg__http_cache_ref(struct cg_http_cache *cache)
{
    if (cache != NULL)
        cache->refs++;
}

void cg__http_cache_unref(struct cg_http_cache *cache)
{
    if (cache == NULL || --cache->refs > 0)
        return;
    while (cache->oldest != NULL)
        cg__http_cache_drop(cache->oldest);
    free(cache->buckets);
    free(cache);
}

void cg_http_cache_free(struct cg_http_cache *cache)
{
    cg__http_cache_unref(cache);
}

void cg_http_cache_stats(const struct cg_http_cache *cache, struct cg_http_cache_stats *stats)
{
    *stats = cache->stats;
}

void cg__http_cache_ask(struct cg_http_cache *cache, struct cg__cache_request *request,
                        struct cg__cache_now now)
{
    request->hash = cg__http_cache_hash(cache, request->url);
    request->changes = cg__http_cache_bucket(cache, request->hash)->changes;
    request->at = now;
}

struct cg__cached *cg__http_cache_find(struct cg_http_cache *cache,
                                       const struct cg__cache_request *request)
{
    struct cg__cached *at = cg__http_cache_bucket(cache, request->hash)->first;

    at = cg__http_cache_seek(at, request->hash, request->url);
    while (at != NULL && !cg__http_cache_vary_fits(&at->asked, &at->head, request->fields))
        at = cg__http_cache_seek(at->next, request->hash, request->url);
    if (at != NULL) {
        at->refs++;
        cg__http_cache_touch(at);
    }
    return at;
}

size_t cg__http_cache_invalidate(struct cg_http_cache *cache, const char *url)
{
    uint64_t hash = cg__http_cache_hash(cache, url);
    struct cg__cache_bucket *bucket = cg__http_cache_bucket(cache, hash);
    size_t before = cache->stats.count;
    struct cg__cached *at, *next;

    bucket->changes++;
    for (at = cg__http_cache_seek(bucket->first, hash, url); at != NULL; at = next) {
        next = cg__http_cache_seek(at->next, hash, url);
        cg__http_cache_drop(at);
    }
    return before - cache->stats.count;
}

static size_t remove_all(struct cg_http_cache *cache)
{
    size_t before = cache->stats.count;

    for (size_t i = 0; i <= cache->mask; i++)
        cache->buckets[i].changes++;
    while (cache->oldest != NULL)
        cg__http_cache_drop(cache->oldest);
    return before;
}

ssize_t cg_http_cache_remove(struct cg_http_cache *cache, const char *url)
{
    struct cg__url parsed;
    const char *unused;
    ssize_t n;

    if (url == NULL)
        return (ssize_t)remove_all(cache);
    n = cg__http_url_parse(&parsed, url, &unused);
    if (n == 0)
        n = (ssize_t)cg__http_cache_invalidate(cache, parsed.text);
    cg__http_url_free(&parsed);
    return n;
}
