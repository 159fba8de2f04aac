/* SPDX-License-Identifier: MIT */
/* See cache.h. */
#include "cache.h"

#include <cogen.h>
#include <pthread.h>
#include <string.h>

enum {
    SLOTS = 1 << 16,
    TEXT_SIZE = 512
}; /* longer texts are not cached */

static const int64_t life = 200 * CG_MILLISECOND;

/* A slot is for all ids that differ by a multiple of SLOTS. */
static struct slot {
    pthread_mutex_t lock;
    long long id;
    int64_t until;   /* it is valid; 0: there is no item */
    unsigned writes; /* how often items of this slot were written */
    char text[TEXT_SIZE];
} cache[SLOTS];

static void init(void)
{
    for (size_t i = 0; i < SLOTS; i++)
        pthread_mutex_init(&cache[i].lock, NULL);
}

void cache_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, init);
}

static struct slot *lock(long long id)
{
    struct slot *slot = &cache[(unsigned long long)id % SLOTS];

    pthread_mutex_lock(&slot->lock);
    return slot;
}

static int64_t now(void)
{
    return cg_sched_now(cg_sched_self());
}

char *cache_get(long long id, unsigned *writes)
{
    struct slot *slot = lock(id);
    char *text = slot->id == id && slot->until > now() ? strdup(slot->text) : NULL;

    *writes = slot->writes;
    pthread_mutex_unlock(&slot->lock);
    return text;
}

void cache_put(long long id, const char *text, unsigned writes)
{
    struct slot *slot = lock(id);

    if (slot->writes == writes && strlen(text) < TEXT_SIZE) {
        slot->id = id;
        slot->until = now() + life;
        strcpy(slot->text, text);
    }
    pthread_mutex_unlock(&slot->lock);
}

void cache_drop(long long id)
{
    struct slot *slot = lock(id);

    slot->writes++;
    slot->until = 0;
    pthread_mutex_unlock(&slot->lock);
}
