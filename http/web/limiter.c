/* SPDX-License-Identifier: MIT */
/* How many requests an address may make. For each address the table has a token bucket, and a
 * request that finds it empty is refused. */
#include "config.h"

#include "lib/base/network.h"
#include "lib/base/random.h"
#include "lib/base/tokens.h"

#include <cogen/http_clients.h>
#include <cogen/sched.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8 }; /* entries that an address may have its place in */

struct entry {
    uint64_t address; /* the first 8 bytes .. */
    uint64_t bits;    /* .. and the kind: 32, 128; 0: the entry is free */
    int64_t full;     /* when its bucket is full */
};

struct cg_http_limiter {
    struct cg__tokens kind; /* of the buckets; a token is a request */
    uint64_t seed[2];        /* so that clients cannot choose their places */
    size_t sets;
    struct entry entries[];
};

struct cg_http_limiter *
cg_http_limiter_new_with(const struct cg_http_limiter_options *options)
{
    unsigned rate = options != NULL && options->rate > 0 ? options->rate : 10;
    unsigned usual = rate < UINT_MAX / 10 ? 10 * rate : UINT_MAX;
    unsigned burst = options != NULL && options->burst > 0 ? options->burst : usual;
    unsigned addresses = options != NULL && options->addresses > 0
                             ? options->addresses
                             : (unsigned)CG_HTTP_LIMITER_ADDRESSES;
    size_t sets = addresses / WAYS + (addresses % WAYS > 0);
    struct cg_http_limiter *limiter =
        calloc(1, sizeof *limiter + sets * WAYS * sizeof *limiter->entries);

    if (limiter == NULL)
        return NULL;
    limiter->sets = sets;
    limiter->kind = (struct cg__tokens){rate, burst};
    if (getentropy(limiter->seed, sizeof limiter->seed) < 0) {
        free(limiter);
        return NULL;
    }
    return limiter;
}

void cg_http_limiter_free(struct cg_http_limiter *limiter)
{
    free(limiter);
}

/* The set of an address: multiplication by secret odd numbers mixes its bits. */
static struct entry *set_of(struct cg_http_limiter *limiter, uint64_t address, uint64_t bits)
{
    uint64_t hash = (address ^ bits ^ limiter->seed[0]) * (limiter->seed[1] | 1);

    hash = (hash ^ hash >> 32) * (limiter->seed[0] | 1);
    return &limiter->entries[(hash ^ hash >> 29) % limiter->sets * WAYS];
}

/* The entry of an address. A new one takes the place of that which will be full first: to
 * forget it changes least. */
static struct entry *find(struct cg_http_limiter *limiter, uint64_t address, uint64_t bits)
{
    struct entry *set = set_of(limiter, address, bits), *found = set;

    for (struct entry *each = set; each < set + WAYS; each++) {
        if (each->bits == bits && each->address == address)
            return each;
        if (each->bits == 0 || (found->bits != 0 && each->full < found->full))
            found = each;
    }
    *found = (struct entry){.address = address, .bits = bits};
    return found;
}

/* Whether one more request may pass; else how many ns later it may. */
static int64_t wait_for(struct cg_http_limiter *limiter,
                        const struct cg__network_address *address, int64_t now)
{
    uint64_t bytes = 0;
    struct entry *entry;

    memcpy(&bytes, address->bytes, address->bits == 32 ? 4 : sizeof bytes);
    entry = find(limiter, bytes, address->bits);
    if (cg__tokens_level(&limiter->kind, entry->full, now) < 1)
        return cg__tokens_moment(&limiter->kind, entry->full, 1) - now;
    cg__tokens_take(&limiter->kind, &entry->full, 1, now);
    return 0;
}

ssize_t cg_http_limit_layer(struct cg_http_request *req, const struct cg_http_layer *next,
                            void *limiter)
{
    struct cg__network_address address;
    const char *client;
    char seconds[24];
    int64_t wait = 0;
    int rc = cg_http_request_client(req, &client);

    if (rc < 0)
        return rc;
    if (cg__network_address(&address, client, strlen(client)))
        wait = wait_for(limiter, &address, cg_sched_now(cg_sched_self()));
    if (wait == 0)
        return cg_http_layer_run(next, req);
    snprintf(seconds, sizeof seconds, "%lld", (long long)((wait + CG_SECOND - 1) / CG_SECOND));
    rc = cg_http_response_set_header(req, "Retry-After", seconds);
    return rc < 0 ? rc : cg_yield(cg_http_send_text(req, 429, "429 Too Many Requests\n"));
}
