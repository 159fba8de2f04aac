/* SPDX-License-Identifier: MIT */
/* The cache, as its sources and the client know it. */
#ifndef COGEN_HTTP_CACHE_CACHE_H
#define COGEN_HTTP_CACHE_CACHE_H

#include <cogen/http_cache.h>

#include "http/cache/cache_fresh.h"
#include "http/message/message.h"
#include "lib/base/hash.h"

struct cg_sched;

/* A response that is stored, or being stored. */
struct cg__cached {
    struct cg__cached *next;          /* in its bucket, the newest first */
    struct cg__cached *older, *newer; /* by the last use */
    struct cg_http_cache *cache;
    uint64_t hash;
    uint32_t changes; /* of its bucket, when the request was sent */
    unsigned refs;    /* of the table and of replies */
    bool listed;      /* it is in the table */
    bool refreshing;  /* it is being validated for later requests */

    char *url;
    struct cg_http_headers asked; /* the fields of the request on which it depends */
    struct cg_http_headers head;  /* begins with the reason phrase */
    const char *protocol;         /* static */
    unsigned status;
    struct cg__cache_life life;
    char *body;
    size_t len, size; /* of the body */
    size_t charge;    /* memory that counts against the limit */
};

struct cg__cache_bucket {
    struct cg__cached *first;
    uint32_t changes; /* how often responses of it were invalidated */
};

struct cg_http_cache {
    struct cg_http_cache_options limits;
    struct cg__cache_bucket *buckets;
    size_t mask; /* number of buckets - 1 */
    struct cg__hash_key key; /* of the table */
    struct cg__cached *oldest, *newest;
    struct cg_http_cache_stats stats;
    struct cg_sched *sched; /* of the first request */
    unsigned refs;          /* of the owner and of each client */
};

/* A request of GET or HEAD. */
struct cg__cache_request {
    const char *url;
    const struct cg_http_headers *fields; /* as they are sent */
    struct cg__cache_says says;
    struct cg__cache_now at;
    uint64_t hash;
    uint32_t changes;
};

void cg__http_cache_ref(struct cg_http_cache *cache);
void cg__http_cache_unref(struct cg_http_cache *cache);

/* Notes the request's place in the cache, and when it was made. */
void cg__http_cache_ask(struct cg_http_cache *cache, struct cg__cache_request *request,
                        struct cg__cache_now now);

/* The stored response that answers a request, fresh or stale, with a reference; NULL: none. */
struct cg__cached *cg__http_cache_find(struct cg_http_cache *cache,
                                       const struct cg__cache_request *request);

/* Begins to store a response to GET. NULL: it is not to be stored, or there is no memory.
 * cg__http_cache_add appends to its body; false: that exceeds a limit, or there is no memory, and
 * the response cannot be stored. cg__http_cache_commit puts the complete response into the table,
 * unless its bucket was invalidated after the request was sent. */
struct cg__cached *cg__http_cache_begin(struct cg_http_cache *cache,
                                        const struct cg__cache_request *request,
                                        unsigned status, const char *protocol,
                                        const char *reason,
                                        const struct cg_http_headers *head,
                                        struct cg__cache_now now);
bool cg__http_cache_add(struct cg__cached *cached, const void *data, size_t len);
void cg__http_cache_commit(struct cg__cached *cached);

/* Updates a response by the head of the 304 that has validated it. If it must no longer be stored,
 * or cannot be, it is removed from the table; the caller can still use it. */
void cg__http_cache_update(struct cg__cached *cached, const struct cg__cache_request *request,
                           const struct cg_http_headers *head, struct cg__cache_now now);

/* Removes a response from the table; releases a reference to one. NULL is ignored. */
void cg__http_cache_drop(struct cg__cached *cached);
void cg__http_cache_release(struct cg__cached *cached);

/* Removes the responses of a URL that was changed. Responses whose requests were sent before are
 * not stored any more. Returns how many were removed. */
size_t cg__http_cache_invalidate(struct cg_http_cache *cache, const char *url);

#endif
