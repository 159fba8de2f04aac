/* SPDX-License-Identifier: MIT */
/* A bounded cache of hosts. A host has one of four places, selected by a hash with a
 * random key: an attacker who makes a program look up many names cannot choose which hosts
 * they replace. If all four places are taken, the host that expires first is replaced. */
#include "config.h"

#include "lib/base/ascii.h"
#include "sockets/resolve/addr.h"
#include "sockets/resolve/resolve_cache.h"

#include <stdlib.h>
#include <string.h>

struct cg__cached {
    int64_t until;
    int key;
    int result; /* the number of records, or an error */
    size_t len; /* of the data */
    char host[CG_HOST_SIZE]; /* in lower case */
    max_align_t data[];
};

void cg__resolve_cache_init(struct cg__resolve_cache *cache)
{
    cg__hash_key_init(&cache->key);
}

/* Copies a host in lower case, since the case of letters does not matter. Returns the
 * length. */
static size_t lower(const char *host, char to[static CG_HOST_SIZE])
{
    size_t len = 0;

    for (; host[len] != '\0' && len < CG_HOST_SIZE - 1; len++)
        to[len] = cg__ascii_lower(host[len]);
    to[len] = '\0';
    return len;
}

static struct cg__cached **set_of(const struct cg__resolve_cache *cache, const char *name,
                                  size_t len)
{
    uint64_t hash = cg__hash_bytes(&cache->key, name, len);

    return (struct cg__cached **)cache->places[hash >> (64 - CG__CACHE_SETS_BITS)];
}

static bool is_for(const struct cg__cached *cached, const char *name, int key)
{
    return cached != NULL && cached->key == key && strcmp(cached->host, name) == 0;
}

int cg__resolve_cache_find(const struct cg__resolve_cache *cache, const char *host, int key,
                           int64_t now, void *data)
{
    char name[CG_HOST_SIZE];
    size_t len = lower(host, name);
    struct cg__cached **set = set_of(cache, name, len);

    for (int way = 0; way < CG__CACHE_WAYS; way++) {
        if (!is_for(set[way], name, key) || set[way]->until <= now)
            continue;
        memcpy(data, set[way]->data, set[way]->len);
        return set[way]->result;
    }
    return 0;
}

/* Finds the place of this host, otherwise a free one, otherwise that which expires
 * first. */
static struct cg__cached **place_for(struct cg__cached **set, const char *name, int key)
{
    struct cg__cached **best = set;

    for (int way = 0; way < CG__CACHE_WAYS; way++) {
        if (is_for(set[way], name, key))
            return &set[way];
        if (*best != NULL && (set[way] == NULL || set[way]->until < (*best)->until))
            best = &set[way];
    }
    return best;
}

void cg__resolve_cache_put(struct cg__resolve_cache *cache, const char *host, int key,
                           int result, const void *data, size_t len, int64_t now,
                           int64_t until)
{
    char name[CG_HOST_SIZE];
    size_t name_len = lower(host, name);
    struct cg__cached **place = place_for(set_of(cache, name, name_len), name, key);
    struct cg__cached *cached;

    if (result < 0)
        len = 0;
    if (until <= now || (cached = malloc(sizeof *cached + len)) == NULL)
        return;
    *cached = (struct cg__cached){.until = until, .key = key, .result = result, .len = len};
    if (len > 0)
        memcpy(cached->data, data, len);
    memcpy(cached->host, name, name_len + 1);
    free(*place);
    *place = cached;
}

void cg__resolve_cache_clear(struct cg__resolve_cache *cache)
{
    for (int set = 0; set < CG__CACHE_SETS; set++)
        for (int way = 0; way < CG__CACHE_WAYS; way++) {
            free(cache->places[set][way]);
            cache->places[set][way] = NULL;
        }
}
