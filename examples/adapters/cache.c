/* SPDX-License-Identifier: MIT */
/* See cache.h. */
#include "cache.h"

#include <cogen.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct slot {
    pthread_mutex_t lock;
    int64_t number, until;
    char *text;     /* NULL: none */
    unsigned drops; /* calls of cache_drop */
};

struct cache {
    unsigned count;
    int64_t life;
    struct slot slots[];
};

struct cache *cache_new(unsigned slots, int64_t life)
{
    struct cache *cache = calloc(1, sizeof *cache + slots * sizeof *cache->slots);

    if (!cache)
        return NULL;
    cache->count = slots;
    cache->life = life;
    for (unsigned i = 0; i < slots; i++)
        pthread_mutex_init(&cache->slots[i].lock, NULL);
    return cache;
}

void cache_free(struct cache *cache)
{
    for (unsigned i = 0; cache && i < cache->count; i++) {
        pthread_mutex_destroy(&cache->slots[i].lock);
        free(cache->slots[i].text);
    }
    free(cache);
}

static struct slot *lock(struct cache *cache, int64_t number)
{
    struct slot *slot = &cache->slots[(uint64_t)number % cache->count];

    pthread_mutex_lock(&slot->lock);
    return slot;
}

/* The lock is held. */
static void replace(struct slot *slot, char *text)
{
    free(slot->text);
    slot->text = text;
}

char *cache_get(struct cache *cache, int64_t number, unsigned *drops)
{
    struct slot *slot = lock(cache, number);
    bool hit = slot->text && slot->number == number &&
               slot->until > cg_sched_now(cg_sched_self());
    char *text = hit ? strdup(slot->text) : NULL;

    *drops = slot->drops;
    pthread_mutex_unlock(&slot->lock);
    return text;
}

void cache_put(struct cache *cache, int64_t number, const char *text, unsigned drops)
{
    struct slot *slot = lock(cache, number);

    if (slot->drops == drops) {
        replace(slot, strdup(text));
        slot->number = number;
        slot->until = cg_sched_now(cg_sched_self()) + cache->life;
    }
    pthread_mutex_unlock(&slot->lock);
}

void cache_drop(struct cache *cache, int64_t number)
{
    struct slot *slot = lock(cache, number);

    slot->drops++;
    replace(slot, NULL);
    pthread_mutex_unlock(&slot->lock);
}
