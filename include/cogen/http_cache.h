/* SPDX-License-Identifier: MIT */
/* A cache for HTTP clients, in memory (RFC 9111). See cg_http_cache(3).
 *
 *     struct cg_http_cache *cache = cg_http_cache_new(.bytes = 64 << 20);
 *     struct cg_http_client *client = cg_http_client_new(.cache = cache);
 *
 * The client then stores responses that may be used again, and uses them. It also uses a
 * response that is stale for no longer than its stale-while-revalidate allows, and validates it
 * in the background, in a coroutine of its own: at most CG_HTTP_REFRESHES at a time, each for
 * at most CG_HTTP_REFRESH_TIME. cg_http_client_free ends them. */
#ifndef COGEN_HTTP_CACHE_H
#define COGEN_HTTP_CACHE_H

#include <cogen/base.h>
#include <cogen/construct.h>

enum {
    CG_HTTP_CACHE_BYTES = 16 * 1024 * 1024, /* memory of all responses */
    CG_HTTP_CACHE_OBJECT = 1024 * 1024,     /* memory of one response */
    CG_HTTP_CACHE_VARIANTS = 16,            /* responses of one URL (Vary) */
    CG_HTTP_CACHE_GUESS = 24 * 60 * 60, /* seconds that a response is fresh at most if it does
                                           not say how long */
};

/* Responses; for the clients of one scheduler. */
struct cg_http_cache;

/* Zero means the default. */
struct cg_http_cache_options {
    size_t bytes;  /* memory of all responses; 0: CG_HTTP_CACHE_BYTES */
    size_t object; /* memory of one response, with its head; larger ones are not stored; 0:
                      CG_HTTP_CACHE_OBJECT, or a quarter of .bytes if that is less */
    void *reserved;
};

/* What a cache has done, and what is in it. */
struct cg_http_cache_stats {
    uint64_t hits;      /* requests that were answered without the server */
    uint64_t validated; /* those for which the server has said that nothing changed (304) */
    uint64_t misses;    /* other requests that a cache may answer */
    size_t count;       /* responses that are stored */
    size_t bytes;       /* memory in use, also of responses that are being stored */
};

#ifndef __cplusplus

/* cg_http_cache_new(.bytes = 64 << 20): cg_http_cache_new_with with its options as keywords. */
#define cg_http_cache_new(...)                                                             \
    cg_http_cache_new_with(CG__OPTIONS(struct cg_http_cache_options, __VA_ARGS__))

#endif

CG_EXTERN_C_BEGIN

/* Makes an empty cache, to be freed with cg_http_cache_free. Options NULL: all defaults.
 * Returns NULL if there is no memory. Beyond a limit the responses that have not been used for
 * the longest time go first. */
CG_API struct cg_http_cache *
cg_http_cache_new_with(const struct cg_http_cache_options *options);

/* Frees a cache; if clients still use it, the last of them frees it. NULL is ignored. */
CG_API void cg_http_cache_free(struct cg_http_cache *cache);

/* Removes the stored responses of a URL, or all if it is NULL. Returns how many there were;
 * CG_EHTTP_URL: the URL is invalid; -ENOMEM. */
CG_API ssize_t cg_http_cache_remove(struct cg_http_cache *cache, const char *url);

CG_API void cg_http_cache_stats(const struct cg_http_cache *cache,
                                struct cg_http_cache_stats *stats);

CG_EXTERN_C_END
#endif
