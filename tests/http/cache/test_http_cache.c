/* SPDX-License-Identifier: MIT */
/* Which responses of the client's cache answer a request, and what changes them. */
#include "config.h"

#include "tests/http/cache/cache_client.h"

#include <stdio.h>

/* A stored reply is the whole response: head, body, and the age of it. */
static ssize_t stores_it_all(void *arg)
{
    (void)arg;
    cache_begin();
    origin.fields = "Cache-Control: max-age=60\r\nX: y\r\nConnection: Z\r\nZ: gone\r\n";
    IS(get("/"), 200);
    has_body("1");
    cg_yield(cg_sleep(30 * CG_SECOND));
    IS(get("/#fragment"), 200);
    IS(cg_http_reply_from(reply), CG_HTTP_FROM_CACHE);
    ck_assert_str_eq(cg_http_reply_header(reply, "X"), "y");
    ck_assert_str_eq(cg_http_reply_header(reply, "Age"), "30");
    ck_assert_ptr_nonnull(cg_http_reply_header(reply, "Date"));
    ck_assert_ptr_null(cg_http_reply_header(reply, "Z"));
    ck_assert_str_eq(cg_http_reply_reason(reply), "OK");
    ck_assert_str_eq(cg_http_reply_protocol(reply), "HTTP/1.1");
    IS(cg_http_reply_length(reply), 1);
    IS(cg_http_reply_received(reply), 1);
    has_body("1");
    IS(FETCH(.url = origin.url, .method = "HEAD"), 200);
    IS(cg_http_reply_length(reply), 1);
    IS(cg_http_reply_from(reply), CG_HTTP_FROM_CACHE);
    has_body("");
    FROM("/other", CG_HTTP_FROM_SERVER);
    IS(cg_http_client_connections(client), 1);
    return cache_end();
}

/* A 304 renews the head, but not what is about the body; and no-store removes it. */
static ssize_t updates_heads(void *arg)
{
    (void)arg;
    cache_begin();
    origin.fields = CC "max-age=10" N TAG "A: 1" N "B: 2" N "Age: 1" N;
    origin.again = CC "max-age=20" N TAG "B: 3" N "C: 4" N "Content-Length: 99" N;
    FROM("/", CG_HTTP_FROM_SERVER);
    cg_yield(cg_sleep(10 * CG_SECOND));
    IS(get("/"), 200);
    IS(cg_http_reply_from(reply), CG_HTTP_FROM_VALIDATED);
    ck_assert_str_eq(cg_http_reply_header(reply, "A"), "1");
    ck_assert_str_eq(cg_http_reply_header(reply, "B"), "3");
    ck_assert_str_eq(cg_http_reply_header(reply, "C"), "4");
    ck_assert_str_eq(cg_http_reply_header(reply, "Age"), "0");
    IS(cg_http_reply_length(reply), 1);
    has_body("1");
    cg_yield(cg_sleep(19 * CG_SECOND));
    FROM("/", CG_HTTP_FROM_CACHE);
    cg_yield(cg_sleep(2 * CG_SECOND));
    origin.again = CC "no-store" N;
    FROM("/", CG_HTTP_FROM_VALIDATED);
    FROM("/", CG_HTTP_FROM_SERVER);
    return cache_end();
}

/* A 304 about another response validates nothing; a changed response replaces the old one. */
static ssize_t is_not_fooled(void *arg)
{
    (void)arg;
    cache_begin();
    origin.fields = CC "max-age=10" N TAG;
    origin.again = CC "max-age=10" N "ETag: \"y\"" N;
    FROM("/", CG_HTTP_FROM_SERVER);
    cg_yield(cg_sleep(10 * CG_SECOND));
    FROM("/", CG_HTTP_FROM_SERVER);
    IS(origin.asked, 3);
    ck_assert(!origin_heard("If-None-Match"));
    origin.fields = CC "max-age=10" N "ETag: W/\"z\"" N;
    origin.again = CC "max-age=10" N "ETag: \"z\"" N;
    cg_yield(cg_sleep(10 * CG_SECOND));
    FROM("/", CG_HTTP_FROM_SERVER);
    FROM("/", CG_HTTP_FROM_CACHE);
    cg_yield(cg_sleep(10 * CG_SECOND));
    FROM("/", CG_HTTP_FROM_VALIDATED);
    origin.line = "404 Gone";
    origin.fields = "";
    cg_yield(cg_sleep(10 * CG_SECOND));
    IS(get("/"), 404);
    IS(from(), CG_HTTP_FROM_SERVER);
    IS(get("/"), 404);
    ck_assert(!origin_heard("If-None-Match"));
    IS(from(), CG_HTTP_FROM_SERVER);
    return cache_end();
}

/* A server that expects the PROXY protocol gets it from a validation, too, which serves nobody. */
static ssize_t refreshes_for_nobody(void *arg)
{
    const struct cg_http_proxied whom = {
        .client = "192.0.2.1:1", .server = "192.0.2.2:80", .version = 1};

    (void)arg;
    cache_begin();
    origin.fields = CC "max-age=10, stale-while-revalidate=20" N TAG;
    IS(FETCH(.url = origin.url, .proxied = &whom), 200);
    ck_assert(origin_heard("PROXY TCP4 192.0.2.1 "));
    cg_http_reply_free(reply);
    cg_yield(cg_sleep(11 * CG_SECOND));
    IS(FETCH(.url = origin.url, .proxied = &whom), 200);
    IS(cg_http_reply_from(reply), CG_HTTP_FROM_STALE);
    cg_yield(cg_sleep(CG_SECOND));
    IS(origin.asked, 2);
    ck_assert(origin_heard("PROXY UNKNOWN\r\n"));
    return cache_end();
}

/* stale-while-revalidate: the stale response is used at once, and one request validates it
 * meanwhile; the server is not asked for each use. */
static ssize_t refreshes(void *arg)
{
    struct cg_http_cache_stats stats;

    (void)arg;
    cache_begin();
    origin.fields = CC "max-age=10, stale-while-revalidate=20" N TAG;
    FROM("/", CG_HTTP_FROM_SERVER);
    origin.pause = 5 * CG_SECOND;
    cg_yield(cg_sleep(29 * CG_SECOND));
    for (int i = 0; i < 3; i++) {
        int64_t before = cg_sched_now(cg_sched_self());

        FROM("/", CG_HTTP_FROM_STALE);
        IS(cg_sched_now(cg_sched_self()) - before, 0);
    }
    cg_yield(cg_sleep(6 * CG_SECOND));
    IS(origin.asked, 2);
    ck_assert(origin_heard("If-None-Match"));
    ck_assert(!origin_heard("Host: 127.0.0.1\r\nHost"));
    FROM("/", CG_HTTP_FROM_CACHE); /* that of the 304 */
    origin.fields = CC "max-age=10, stale-while-revalidate=20" N "ETag: \"y\"" N;
    origin.pause = 0;
    cg_yield(cg_sleep(12 * CG_SECOND));
    IS(get("/"), 200);
    IS(cg_http_reply_from(reply), CG_HTTP_FROM_STALE);
    has_body("1");
    cg_yield(cg_sleep(CG_SECOND));
    IS(get("/"), 200);
    IS(cg_http_reply_from(reply), CG_HTTP_FROM_CACHE);
    has_body("3"); /* the new one */
    cg_yield(cg_sleep(40 * CG_SECOND));
    FROM("/", CG_HTTP_FROM_VALIDATED); /* it was stale for too long */
    cg_http_cache_stats(cache, &stats);
    IS((ssize_t)stats.hits, 6);
    IS((ssize_t)stats.validated, 1);
    IS((ssize_t)stats.misses, 1);
    return cache_end();
}

/* A refresh that fails leaves the response, one that must not be stored removes it; requests may
 * insist on the server; there are only so many at a time, and the client's end is theirs. */
static ssize_t refreshes_with_care(void *arg)
{
    (void)arg;
    cache_begin();
    origin.fields = CC "max-age=10, stale-while-revalidate=1000" N;
    FROM("/", CG_HTTP_FROM_SERVER);
    cg_yield(cg_sleep(20 * CG_SECOND));
    origin.line = "500 Broken";
    FROM("/", CG_HTTP_FROM_STALE);
    cg_yield(cg_sleep(CG_SECOND));
    FROM("/", CG_HTTP_FROM_STALE);
    cg_yield(cg_sleep(CG_SECOND));
    IS(origin.asked, 3);
    IS(FETCH(.url = url("/"), .fields = FIELDS({"Cache-Control", "max-age=5"})), 500);
    IS(from(), CG_HTTP_FROM_SERVER);
    IS(FETCH(.url = url("/"), .fields = FIELDS({"Cache-Control", "only-if-cached"})), 200);
    IS(from(), CG_HTTP_FROM_STALE);
    cg_yield(cg_sleep(CG_SECOND));
    IS(origin.asked, 4);
    origin.line = "200 OK";
    origin.fields = CC "no-store" N;
    FROM("/", CG_HTTP_FROM_STALE);
    cg_yield(cg_sleep(CG_SECOND));
    FROM("/", CG_HTTP_FROM_SERVER);
    origin.fields = CC "max-age=10, stale-while-revalidate=1000" N;
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < CG_HTTP_REFRESHES + 3; j++) {
            char path[8];

            snprintf(path, sizeof path, "/%d", j);
            FROM(path, i == 0 ? CG_HTTP_FROM_SERVER : CG_HTTP_FROM_STALE);
        }
        cg_yield(cg_sleep(i == 0 ? 20 * CG_SECOND : 0));
        origin.pause = CG_HOUR;
    }
    IS((ssize_t)test_count("http refresh"), CG_HTTP_REFRESHES);
    cg_http_client_free(client);
    cg_yield(cg_sleep(CG_MILLISECOND));
    IS((ssize_t)test_count("http refresh"), 0);
    client = NULL;
    return cache_end();
}

/* Vary: each value has a response of its own, at most so many; the caller's conditions, and
 * parts, and requests to another host than the URL's, are none of the cache's business. */
static ssize_t tells_requests_apart(void *arg)
{
    char value[16];

    (void)arg;
    cache_begin();
    origin.fields = CC "max-age=1000" N "Vary: X, accept-encoding" N;
    for (int i = 0; i < 2; i++) {
        IS(ask_from("/", "x", "a"), i ? CG_HTTP_FROM_CACHE : CG_HTTP_FROM_SERVER);
        IS(ask_from("/", "X", "b"), i ? CG_HTTP_FROM_CACHE : CG_HTTP_FROM_SERVER);
        IS(ask_from("/", "Y", "b"), i ? CG_HTTP_FROM_CACHE : CG_HTTP_FROM_SERVER);
        IS(ask_from("/", "Accept-Encoding", "br"), i ? CG_HTTP_FROM_CACHE : CG_HTTP_FROM_SERVER);
    }
    for (int i = 0; i < 100; i++) {
        snprintf(value, sizeof value, "%d", i);
        IS(ask_from("/", "X", value), CG_HTTP_FROM_SERVER);
    }
    IS(ask_from("/", "X", "99"), CG_HTTP_FROM_CACHE);
    IS(ask_from("/", "X", "84"), CG_HTTP_FROM_CACHE);
    IS(ask_from("/", "X", "83"), CG_HTTP_FROM_SERVER);
    IS(ask_from("/", "Range", "bytes=0-"), CG_HTTP_FROM_SERVER);
    IS(ask_from("/", "If-None-Match", "\"q\""), CG_HTTP_FROM_SERVER);
    for (int i = 0; i < 2; i++)
        IS(ask_from("/host", "Host", "other.example"), CG_HTTP_FROM_SERVER);
    FROM("/host", CG_HTTP_FROM_SERVER);
    IS(FETCH(.url = origin.url, .bare = true), 200);
    IS(from(), CG_HTTP_FROM_SERVER);
    IS(cg_http_cache_remove(cache, origin.url), CG_HTTP_CACHE_VARIANTS);
    IS(cg_http_cache_remove(cache, "http://"), CG_EHTTP_URL);
    return cache_end();
}

/* All fields Vary of a response count: what depends on other fields replaces the old one. */
static ssize_t reads_each_vary(void *arg)
{
    (void)arg;
    cache_begin();
    origin.fields = CC "max-age=10" N "Vary: X" N "Vary: Y" N;
    IS(ask_from("/", "Y", "a"), CG_HTTP_FROM_SERVER);
    IS(ask_from("/", "Y", "a"), CG_HTTP_FROM_CACHE);
    IS(ask_from("/", "Y", "b"), CG_HTTP_FROM_SERVER);
    IS(ask_from("/", "Y", "a"), CG_HTTP_FROM_CACHE);
    IS(FETCH(.url = url("/"), .fields = FIELDS({"X", "1"}, {"Y", "2"}, {"Y", "3"})), 200);
    IS(from(), CG_HTTP_FROM_SERVER);
    IS(FETCH(.url = url("/"), .fields = FIELDS({"Y", "2"}, {"X", "1"}, {"Y", "3"})), 200);
    IS(from(), CG_HTTP_FROM_CACHE);
    IS(FETCH(.url = url("/"), .fields = FIELDS({"X", "1"}, {"Y", "3"}, {"Y", "2"})), 200);
    IS(from(), CG_HTTP_FROM_SERVER);
    IS(FETCH(.url = url("/"), .fields = FIELDS({"Y", "2"}, {"X", "1"})), 200);
    IS(from(), CG_HTTP_FROM_SERVER);
    origin.fields = CC "max-age=10" N "Vary: X" N "Vary: Z" N;
    IS(ask_from("/", "Y", "c"), CG_HTTP_FROM_SERVER);
    IS(FETCH(.url = url("/"), .fields = FIELDS({"Y", "a"})), 200);
    has_body("6"); /* the new one, which does not depend on Y */
    return cache_end();
}

/* What one user has got is not for another, unless it is public. */
static ssize_t tells_users_apart(void *arg)
{
    (void)arg;
    cache_begin();
    origin.fields = CC "max-age=1000" N;
    IS(ask_from("/", "Cookie", "a=1"), CG_HTTP_FROM_SERVER);
    IS(ask_from("/", "Cookie", "a=1"), CG_HTTP_FROM_CACHE);
    IS(ask_from("/", "Cookie", "a=2"), CG_HTTP_FROM_SERVER);
    FROM("/", CG_HTTP_FROM_SERVER);
    IS(FETCH(.url = origin.url, .bearer = "abc"), 200);
    IS(from(), CG_HTTP_FROM_SERVER);
    IS(FETCH(.url = origin.url, .basic = "a:b"), 200);
    IS(from(), CG_HTTP_FROM_SERVER);
    IS(FETCH(.url = origin.url, .bearer = "abc"), 200);
    IS(from(), CG_HTTP_FROM_CACHE);
    origin.fields = CC "max-age=1000, public" N;
    IS(ask_from("/p", "Cookie", "a=1"), CG_HTTP_FROM_SERVER);
    IS(ask_from("/p", "Cookie", "a=2"), CG_HTTP_FROM_CACHE);
    return cache_end();
}

/* Unsafe methods invalidate their URL, and what their response names there. */
static ssize_t forgets_what_changed(void *arg)
{
    static const char *const paths[] = {"/a", "/b", "/c", "/d"};

    (void)arg;
    cache_begin();
    for (int i = 0; i < 4; i++) {
        for (size_t path = 0; path < COUNT(paths); path++) {
            origin.fields = CC "max-age=1000" N;
            FROM(paths[path], path < 3 || i == 0 ? CG_HTTP_FROM_SERVER : CG_HTTP_FROM_CACHE);
            FROM(paths[path], CG_HTTP_FROM_CACHE);
        }
        origin.fields = "Location: /b" N "Content-Location: c" N;
        origin.line = i == 1 ? "302 Found" : "200 OK";
        IS(FETCH(.url = url("/a"), .method = i ? "BREW" : "PUT", .body = "x", .len = 1,
                 .stay = true),
           i == 1 ? 302 : 200);
        from();
        origin.line = "200 OK";
    }
    origin.fields = CC "max-age=1000" N;
    FROM("/a", CG_HTTP_FROM_SERVER);
    origin.line = "500 Oops";
    IS(FETCH(.url = url("/a"), .method = "DELETE"), 500);
    from();
    FROM("/a", CG_HTTP_FROM_CACHE);
    origin.breaks = true;
    IS(FETCH(.url = url("/a"), .method = "DELETE"), CG_EOF);
    origin.breaks = false;
    origin.line = "200 OK";
    FROM("/a", CG_HTTP_FROM_SERVER);
    return cache_end();
}

/* When the server fails, a stale response may take its place. */
static ssize_t bridges_failures(void *arg)
{
    (void)arg;
    cache_begin();
    origin.fields = CC "max-age=10, stale-if-error=20" N TAG;
    FROM("/", CG_HTTP_FROM_SERVER);
    cg_yield(cg_sleep(20 * CG_SECOND));
    origin.breaks = true;
    FROM("/", CG_HTTP_FROM_STALE);
    origin.breaks = false;
    origin.line = "503 Busy";
    origin.fields = "";
    FROM("/", CG_HTTP_FROM_STALE);
    IS(FETCH(.url = origin.url, .retries = 2), 200);
    has_body("1");
    cg_yield(cg_sleep(15 * CG_SECOND));
    IS(get("/"), 503);
    IS(from(), CG_HTTP_FROM_SERVER);
    IS(ask_from("/", "Cache-Control", "stale-if-error=100"), CG_HTTP_FROM_STALE);
    IS(FETCH(.url = origin.url,
             .fields = FIELDS({"Cache-Control", "no-cache, stale-if-error=100"})), 503);
    from();
    origin.breaks = true;
    IS(get("/"), CG_EOF);
    origin.breaks = false;
    origin.line = "200 OK";
    FROM("/", CG_HTTP_FROM_SERVER);
    return cache_end();
}

static ssize_t verdict;

/* A handshake that never says a word. */
static ssize_t pretend(void *arg, struct cg_sock *inner, const char *host, const char *alpn,
                       struct cg_sock **sock, char *complaint)
{
    (void)arg, (void)host, (void)alpn, (void)complaint;
    *sock = inner;
    return verdict;
}

/* But a server that is not the one that it should be is no failure to be bridged. */
static ssize_t tells_impostors(void *arg)
{
    const struct cg_http_tls tls = {pretend, NULL};
    char secure[200];

    (void)arg;
    cache_begin();
    cg_http_client_free(client);
    client = cg_http_client_new(.no_environment = true, .cache = cache, .no_keep = true,
                                .tls = &tls);
    snprintf(secure, sizeof secure, "https%s", origin.url + sizeof "http" - 1);
    origin.fields = CC "max-age=10, stale-if-error=100" N TAG;
    verdict = 0;
    IS(FETCH(.url = secure), 200);
    IS(from(), CG_HTTP_FROM_SERVER);
    cg_yield(cg_sleep(20 * CG_SECOND));
    verdict = CG_ETLS_REFUSED;
    IS(FETCH(.url = secure), 200);
    IS(from(), CG_HTTP_FROM_STALE);
    verdict = CG_ETLS_PIN;
    IS(FETCH(.url = secure), CG_ETLS_PIN);
    verdict = CG_ETLS_ISSUER;
    IS(FETCH(.url = secure), CG_ETLS_ISSUER);
    return cache_end();
}

static const struct test_case cases[] = {
    CORO(stores_it_all, .where = ON_SIM),
    CORO(updates_heads, .where = ON_SIM),
    CORO(is_not_fooled, .where = ON_SIM),
    CORO(refreshes, .where = ON_SIM),
    CORO(refreshes_for_nobody, .where = ON_SIM),
    CORO(refreshes_with_care, .where = ON_SIM),
    CORO(tells_requests_apart, .where = ON_SIM),
    CORO(reads_each_vary, .where = ON_SIM),
    CORO(tells_users_apart),
    CORO(forgets_what_changed),
    CORO(bridges_failures, .where = ON_SIM),
    CORO(tells_impostors, .where = ON_SIM),
};

int main(void)
{
    return test_main("http cache", cases, COUNT(cases));
}
