/* SPDX-License-Identifier: MIT */
/* What the client's cache stores, in how much memory, and who shares it. */
#include "config.h"

#include "tests/http/cache/cache_client.h"

#include <stdio.h>
#include <string.h>

#define HEAD "HTTP/1.1 200 OK\r\nCache-Control: max-age=1000\r\n"

/* Only what has come completely is stored, however it is read, and in no more than its memory. */
static ssize_t stores_whole_bodies(void *arg)
{
    static const char *const cut[] = {
        HEAD "Content-Length: 5" N N "ab",
        HEAD "Transfer-Encoding: chunked" N N "2" N "ab" N,
        HEAD "Transfer-Encoding: chunked" N N "2" N "ab" N "x" N,
        HEAD "" N "ab",
    };
    struct cg_http_cache_stats stats;
    char buf[100];

    (void)arg;
    cache_begin();
    for (size_t i = 0; i < COUNT(cut); i++) {
        origin.raw = cut[i];
        get("/");
        cg_http_reply_free(reply);
    }
    origin.raw = HEAD "Content-Length: 5" N N "abcde";
    for (int i = 0; i < 2; i++) {
        IS(FETCH(.url = origin.url, .stream = true), 200);
        IS(cg_yield(cg_http_read_reply(reply, buf, 4)), 4);
        if (i > 0)
            IS(cg_yield(cg_http_read_reply(reply, buf, 4)), 1);
        IS(from(), CG_HTTP_FROM_SERVER);
        cg_http_cache_stats(cache, &stats);
        IS(stats.count, i);
        ck_assert((stats.bytes > 0) == (i > 0));
    }
    origin.raw = HEAD "Transfer-Encoding: chunked" N N "5" N "abcde" N "0" N "T: 1" N N;
    IS(get("/chunked"), 200);
    has_body("abcde");
    FROM("/chunked", CG_HTTP_FROM_CACHE);
    IS(FETCH(.url = url("/chunked"), .stream = true), 200);
    IS(cg_http_reply_length(reply), 5);
    IS(cg_yield(cg_http_read_reply(reply, buf, 3)), 3);
    IS(cg_http_cache_remove(cache, NULL), 2);
    IS(cg_yield(cg_http_read_reply(reply, buf, 3)), 2); /* what is read stays */
    IS(cg_yield(cg_http_read_reply(reply, buf, 3)), 0);
    ck_assert_int_eq(memcmp(buf, "de", 2), 0);
    cg_http_reply_free(reply);
    cg_http_cache_stats(cache, &stats);
    IS(stats.bytes, 0);
    return cache_end();
}

/* A response that was asked for before its URL was changed is not stored. */
static ssize_t stores_nothing_outdated(void *arg)
{
    struct cg_http_reply *old;
    char buf[8];

    (void)arg;
    cache_begin();
    origin.fields = CC "max-age=1000" N;
    IS(FETCH(.url = origin.url, .stream = true), 200);
    old = reply;
    IS(FETCH(.url = origin.url, .method = "PUT", .body = "x", .len = 1), 200);
    from();
    IS(cg_yield(cg_http_read_reply(old, buf, sizeof buf)), 1);
    cg_http_reply_free(old);
    FROM("/", CG_HTTP_FROM_SERVER);
    FROM("/", CG_HTTP_FROM_CACHE);
    return cache_end();
}

/* Memory is bounded; what was not used for the longest time goes first, and what is too large
 * is not stored. */
static ssize_t keeps_its_limits(void *arg)
{
    static char large[40000];
    struct cg_http_cache_stats stats;
    char path[16];

    (void)arg;
    cache_begin();
    cg_http_client_free(client);
    cg_http_cache_free(cache);
    cache = cg_http_cache_new(.bytes = 100000, .object = 30000);
    client = cg_http_client_new(.no_environment = true, .cache = cache);
    memset(large, 'x', 20000);
    origin.body = large;
    origin.fields = CC "max-age=1000" N;
    for (int i = 0; i < 20; i++) {
        snprintf(path, sizeof path, "/%d", i);
        FROM(path, CG_HTTP_FROM_SERVER);
        FROM("/0", CG_HTTP_FROM_CACHE);
        cg_http_cache_stats(cache, &stats);
        ck_assert_uint_le(stats.bytes, 100000);
    }
    IS(stats.count, 4);
    FROM("/19", CG_HTTP_FROM_CACHE);
    FROM("/16", CG_HTTP_FROM_SERVER);
    cg_http_cache_remove(cache, NULL);
    memset(large, 'x', 39999);
    FROM("/0", CG_HTTP_FROM_SERVER);
    FROM("/0", CG_HTTP_FROM_SERVER);
    cg_http_cache_stats(cache, &stats);
    IS(stats.count, 0);
    IS(stats.bytes, 0);
    return cache_end();
}

/* Redirects are stored like other responses. */
static ssize_t stores_redirects(void *arg)
{
    (void)arg;
    cache_begin();
    origin.line = "301 Moved";
    origin.fields = CC "max-age=1000" N "Location: /new" N;
    IS(FETCH(.url = url("/old"), .stay = true), 301);
    from();
    origin.line = "200 OK";
    origin.fields = CC "max-age=1000" N;
    IS(get("/old"), 200);
    ck_assert_str_eq(cg_http_reply_url(reply), url("/new"));
    has_body("2");
    IS(get("/old"), 200);
    has_body("2");
    IS(origin.asked, 2);
    return cache_end();
}

static ssize_t ask_once(void *arg)
{
    struct cg_http_reply *own;

    IS(cg_yield(cg_http_get(client, origin.url, &own)), 200);
    *(enum cg_http_from *)arg = cg_http_reply_from(own);
    cg_http_reply_free(own);
    return 0;
}

/* Coroutines that ask for the same at the same time each get it. Clients share a cache, which
 * exists until the last reply that uses it is freed. */
static ssize_t is_shared(void *arg)
{
    enum cg_http_from is[3];
    struct cg_coro *coros[3];
    struct cg_http_client *first;
    char buf[8];

    (void)arg;
    cache_begin();
    origin.fields = CC "max-age=1000" N;
    origin.pause = CG_SECOND;
    for (int i = 0; i < 3; i++)
        coros[i] = test_start(ask_once, &is[i]);
    for (int i = 0; i < 3; i++) {
        IS(test_end(coros[i]), 0);
        IS(is[i], CG_HTTP_FROM_SERVER);
    }
    FROM("/", CG_HTTP_FROM_CACHE);
    first = client;
    client = cg_http_client_new(.no_environment = true, .cache = cache);
    IS(FETCH(.url = origin.url, .stream = true), 200);
    cg_http_client_free(first);
    cg_http_client_free(client);
    cg_http_cache_free(cache);
    IS(cg_yield(cg_http_read_reply(reply, buf, sizeof buf)), 1);
    cg_http_reply_free(reply);
    origin_end();
    return 0;
}

/* A body that can not be decoded does not stay. */
static ssize_t drops_corrupt_bodies(void *arg)
{
    (void)arg;
    cache_begin();
    origin.fields = CC "max-age=1000" N "Content-Encoding: gzip" N;
    origin.body = "this is not gzip";
    IS(get("/"), CG_EHTTP_CODING);
    IS(get("/"), CG_EHTTP_CODING);
    IS(origin.asked, 2);
    IS(FETCH(.url = origin.url, .raw = true), 200);
    has_body(origin.body);
    return cache_end();
}

static const struct test_case cases[] = {
    CORO(stores_whole_bodies),
    CORO(stores_nothing_outdated),
    CORO(keeps_its_limits),
    CORO(stores_redirects),
    CORO(is_shared, .where = ON_SIM),
    CORO(drops_corrupt_bodies),
};

int main(void)
{
    return test_main("http cache store", cases, COUNT(cases));
}
