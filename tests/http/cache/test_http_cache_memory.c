/* SPDX-License-Identifier: MIT */
/* The client's cache over both carriers, without memory: each allocation of the requests and of
 * their refreshes fails in turn. */
#include "config.h"

#include "http/cache/cache.h"
#include "tests/failing/failing.h"
#include "tests/http/http_serve.h"

#include <cogen/http_client.h>
#include <errno.h>
#include <string.h>

enum { BODY = 10000 };

static struct cg_coro *victim; /* the coroutine that asks */
static int left = -1;          /* allocations until one fails */

static bool is_victim(const struct cg_coro *self)
{
    return self == victim || (self != NULL && strcmp(cg_coro_name(self), "http refresh") == 0);
}

bool failing_now(enum failing_what what)
{
    (void)what;
    return victim != NULL && is_victim(cg_coro_self()) && left-- == 0;
}

static struct cg_http_cache *cache;
static struct cg_http_client *client;
static char why[CG_HTTP_WHY_SIZE];
static unsigned asked;

/* A page that is fresh for 10 s, and of use for 20 s. */
static ssize_t page(struct cg_http_request *req, void *arg)
{
    static char body[BODY];

    (void)arg;
    asked++;
    test_fill(body, BODY, 0);
    OK(cg_http_response_set_header(req, "Cache-Control", "max-age=10, stale-while-revalidate=20"));
    OK(cg_http_response_set_header(req, "ETag", "\"x\""));
    OK(cg_http_response_set_header(req, "Vary", "X"));
    if (cg_http_request_header(req, "If-None-Match") != NULL)
        return cg_yield(cg_http_respond(req, 304, NULL, 0));
    return cg_yield(cg_http_respond(req, 200, body, BODY));
}

/* Gets the page, and tells where it is from, or the error. */
static ssize_t get(void)
{
    static const struct cg_http_field fields[] = {{"X", "y"}, {NULL, NULL}};
    char at[CG_ADDR_SIZE + 16];
    struct cg_http_fetch fetch = {.url = at, .fields = fields};
    struct cg_http_reply *reply;
    size_t len;
    ssize_t n;

    snprintf(at, sizeof at, "http://%s/page", addr);
    n = cg_yield(cg_http_fetch(client, &fetch, &reply, .why = why));
    if (n < 0) {
        ck_assert_str_ne(why, "");
        return n;
    }
    IS(n, 200);
    test_verify(cg_http_reply_body(reply, &len), BODY, 0);
    IS((ssize_t)len, BODY);
    n = (ssize_t)cg_http_reply_from(reply);
    cg_http_reply_free(reply);
    return n;
}

/* A page that is stored, one that is fresh, stale, refreshed, and validated. */
static ssize_t gets(void *arg)
{
    static const struct {
        int64_t after;
        enum cg_http_from from;
    } steps[] = {
        {0, CG_HTTP_FROM_SERVER}, {5, CG_HTTP_FROM_CACHE},     {10, CG_HTTP_FROM_STALE},
        {1, CG_HTTP_FROM_CACHE},  {40, CG_HTTP_FROM_VALIDATED}};
    ssize_t result = 0;

    for (size_t i = 0; i < COUNT(steps); i++) {
        ssize_t n;

        cg_yield(cg_sleep(steps[i].after * CG_SECOND));
        n = get();
        if (left >= 0 || arg != NULL)
            IS(n, steps[i].from); /* nothing has failed */
        result = n < 0 ? n : result;
    }
    cg_yield(cg_sleep(CG_SECOND));
    return result;
}

static void try(int failure, ssize_t *refused)
{
    ssize_t n;

    cache = cg_http_cache_new();
    client = cg_http_client_new(.no_environment = true, .cache = cache,
                                .protocols = h2_text_on ? CG_HTTP_H2C : CG_HTTP_H1);
    victim = test_start(gets, NULL);
    left = failure;
    n = test_end(victim);
    victim = NULL;
    *refused += n < 0;
    OK(get()); /* the client and the cache can be used further */
    cg_http_client_free(client);
    cg_yield(cg_sleep(CG_SECOND));
    IS((ssize_t)test_count("http refresh"), 0);
    cg_http_cache_remove(cache, NULL);
    IS((ssize_t)cache->stats.bytes, 0);
    cg_http_cache_free(cache);
}

/* Whichever allocation fails, the result is an error or the page, and nothing is lost. */
static ssize_t each_allocation(void *arg)
{
    ssize_t refused = 0;
    int failure = 0;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){
        .compress_above = CG_HTTP_UNLIMITED,
        .protocols = h2_text_on ? CG_HTTP_H2C : CG_HTTP_H1});
    OK(cg_http_server_mount(server, "/page", page, NULL));
    for (left = -1; left < 0 && failure < 1000; failure++)
        try(failure, &refused);
    ck_assert_int_lt(failure, 1000);
    ck_assert_int_gt(refused, 10);
    serve_end();
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {CORO(each_allocation, .where = ON_SIM)};

    return both_main("http cache memory", cases, COUNT(cases), NULL, 0);
}
