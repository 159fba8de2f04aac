/* SPDX-License-Identifier: MIT */
/* See cache_list.h. */
#include "config.h"

#include "http/cache/cache_list.h"

#include <stdlib.h>
#include <string.h>

/* With a key, since a server chooses the URLs of its redirects. */
uint64_t cg__http_cache_hash(const struct cg_http_cache *cache, const char *url)
{
    return cg__hash_bytes(&cache->key, url, strlen(url));
}

struct cg__cached *cg__http_cache_seek(struct cg__cached *at, uint64_t hash, const char *url)
{
    while (at != NULL && (at->hash != hash || strcmp(at->url, url) != 0))
        at = at->next;
    return at;
}

static void unlink_used(struct cg__cached *cached)
{
    struct cg_http_cache *cache = cached->cache;

    *(cached->older ? &cached->older->newer : &cache->oldest) = cached->newer;
    *(cached->newer ? &cached->newer->older : &cache->newest) = cached->older;
}

static void link_newest(struct cg__cached *cached)
{
    struct cg_http_cache *cache = cached->cache;

    cached->newer = NULL;
    cached->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = cached;
    cache->newest = cached;
}

void cg__http_cache_link(struct cg__cached *cached)
{
    struct cg__cache_bucket *bucket = cg__http_cache_bucket(cached->cache, cached->hash);

    cached->next = bucket->first;
    bucket->first = cached;
    cached->listed = true;
    cached->refs++;
    cached->cache->stats.count++;
    link_newest(cached);
}

void cg__http_cache_touch(struct cg__cached *cached)
{
    if (cached->listed) {
        unlink_used(cached);
        link_newest(cached);
    }
}

void cg__http_cache_drop(struct cg__cached *cached)
{
    struct cg__cached **at;

    if (cached == NULL || !cached->listed)
        return;
    at = &cg__http_cache_bucket(cached->cache, cached->hash)->first;
    while (*at != cached)
        at = &(*at)->next;
    *at = cached->next;
    unlink_used(cached);
    cached->listed = false;
    cached->cache->stats.count--;
    cg__http_cache_release(cached);
}

void cg__http_cache_release(struct cg__cached *cached)
{
    if (cached == NULL || --cached->refs > 0)
        return;
    cached->cache->stats.bytes -= cached->charge;
    cg__http_message_clear(&cached->asked);
    cg__http_message_clear(&cached->head);
    free(cached->url);
    free(cached->body);
    free(cached);
}

bool cg__http_cache_charge(struct cg__cached *cached, size_t bytes)
{
    struct cg_http_cache *cache = cached->cache;
    size_t *sum = &cache->stats.bytes, before = cached->charge, most = cache->limits.bytes;

    if (bytes > cache->limits.object)
        return false;
    while (*sum - before + bytes > most && cache->oldest != NULL && cache->oldest != cached)
        cg__http_cache_drop(cache->oldest);
    if (*sum - before + bytes > most)
        return false;
    *sum += bytes - before;
    cached->charge = bytes;
    return true;
}
