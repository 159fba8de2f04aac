/* SPDX-License-Identifier: MIT */
/* A client with a cache, for tests. It asks the server of cache_origin.h. */
#ifndef COGEN_TESTS_HTTP_CACHE_CACHE_CLIENT_H
#define COGEN_TESTS_HTTP_CACHE_CACHE_CLIENT_H

#include "tests/http/cache/cache_origin.h"

extern struct cg_http_cache *cache;
extern struct cg_http_client *client;
extern struct cg_http_reply *reply; /* the last one */
extern char why[CG_HTTP_WHY_SIZE];

/* Start and end the server, with a new cache and client. cache_end returns 0. */
void cache_begin(void);
ssize_t cache_end(void);

/* The server's URL with path appended, in a buffer that the fourth call after this one
 * overwrites. */
const char *url(const char *path);

/* FETCH(.url = url("/"), .method = "HEAD"): fetches into `reply`. */
#define FETCH(...)                                                                         \
    cg_yield(cg_http_fetch(client, (&(struct cg_http_fetch){__VA_ARGS__}), &reply, .why = why))
#define FIELDS(...) ((const struct cg_http_field[]){__VA_ARGS__, {NULL, NULL}})
ssize_t get(const char *path);

/* Gets a path with a field of the request, and tells where the response is from. */
enum cg_http_from ask_from(const char *path, const char *name, const char *value);

/* Tells where the reply is from, and frees it. */
enum cg_http_from from(void);

/* Checks the body of the reply, and frees it. */
void has_body(const char *want);

/* Gets a path, and checks where the response is from. */
#define FROM(path, where)                                                                  \
    do {                                                                                   \
        IS(get(path), 200);                                                                \
        IS(from(), where);                                                                 \
    } while (0)

/* Pieces of the server's fields. */
#define CC "Cache-Control: "
#define TAG "ETag: \"x\"\r\n"
#define N "\r\n"

#endif
