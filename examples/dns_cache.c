/* SPDX-License-Identifier: MIT */
/* The hash of a question selects four places, of which its response has one. Questions
 * that have the same places replace each other, so a search never takes longer. */
#include "dns_cache.h"

#include <cogen.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    WAYS = 4,
    SETS = DNS_CACHE_MOST / WAYS
};

struct entry {
    int64_t since, until; /* ns */
    unsigned char flags;
    size_t question_len, len;
    unsigned char question[DNS_QUESTION_SIZE]; /* in lower case */
    unsigned char response[];
};

struct dns_cache {
    struct entry *places[SETS][WAYS];
};

struct dns_cache *dns_cache_new(void)
{
    return calloc(1, sizeof(struct dns_cache));
}

void dns_cache_free(struct dns_cache *cache)
{
    for (int i = 0; i < SETS * WAYS; i++)
        free(cache->places[i / WAYS][i % WAYS]);
    free(cache);
}

/* Stores the question in `key`, in lower case, and finds its places by a hash of it
 * (FNV-1a). */
static struct entry **set_of(const struct dns_cache *cache,
                             const struct dns_query *query,
                             unsigned char key[static DNS_QUESTION_SIZE])
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ query->flags;

    for (size_t i = 0; i < query->question_len; i++) {
        key[i] = (unsigned char)tolower(query->question[i]);
        hash = (hash ^ key[i]) * UINT64_C(1099511628211);
    }
    return (struct entry **)cache->places[hash % SETS];
}

static bool is_for(const struct entry *entry, const struct dns_query *query,
                   const unsigned char *key)
{
    return entry != NULL && entry->flags == query->flags &&
           entry->question_len == query->question_len &&
           memcmp(entry->question, key, query->question_len) == 0;
}

size_t dns_cache_find(const struct dns_cache *cache, const struct dns_query *query,
                      int64_t now, unsigned char *response)
{
    unsigned char key[DNS_QUESTION_SIZE];
    struct entry **set = set_of(cache, query, key);

    for (int i = 0; i < WAYS; i++) {
        if (!is_for(set[i], query, key) || set[i]->until <= now)
            continue;
        memcpy(response, set[i]->response, set[i]->len);
        dns_age(response, set[i]->len, (unsigned)((now - set[i]->since) / CG_SECOND));
        return set[i]->len;
    }
    return 0;
}

/* Returns the place of the same question, or else a free one, or else the one that expires
 * first. */
static struct entry **place_for(struct entry **set, const struct dns_query *query,
                                const unsigned char *key)
{
    struct entry **best = set;

    for (int i = 0; i < WAYS; i++) {
        if (is_for(set[i], query, key))
            return &set[i];
        if (*best != NULL && (set[i] == NULL || set[i]->until < (*best)->until))
            best = &set[i];
    }
    return best;
}

void dns_cache_put(struct dns_cache *cache, const struct dns_query *query,
                   const unsigned char *response, size_t len, int64_t now)
{
    int64_t until = now + dns_lifetime(response, len) * CG_SECOND;
    unsigned char key[DNS_QUESTION_SIZE];
    struct entry **place = place_for(set_of(cache, query, key), query, key), *entry;

    if (until <= now || len > DNS_CACHE_RESPONSE)
        return;
    entry = malloc(sizeof *entry + len);
    if (entry == NULL)
        return;
    *entry = (struct entry){.since = now,
                            .until = until,
                            .flags = query->flags,
                            .question_len = query->question_len,
                            .len = len};
    memcpy(entry->question, key, query->question_len);
    memcpy(entry->response, response, len);
    free(*place);
    *place = entry;
}
