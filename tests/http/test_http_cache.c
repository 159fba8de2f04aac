/* SPDX-License-Identifier: MIT */
/* The client's cache, directive by directive: RFC 9111, of a private cache. */
#include "config.h"

#include "tests/http/cache_origin.h"
#include "tests/support/must.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct cg_http_cache *cache;
static struct cg_http_client *client;
static struct cg_http_reply *reply;
static char why[CG_HTTP_WHY_SIZE];

static void begin(void)
{
    origin_start();
    cache = cg_http_cache_new();
    client = cg_http_client_new(.no_environment = true, .cache = cache);
}

static ssize_t end(void)
{
    cg_http_client_free(client);
    cg_http_cache_free(cache);
    origin_end();
    return 0;
}

static const char *url(const char *path)
{
    static char urls[4][256];
    static unsigned turn;
    char *text = urls[turn++ % COUNT(urls)];

    snprintf(text, sizeof urls[0], "%s%s", origin.url, path);
    return text;
}

#define FETCH(...)                                                                         \
    cg_yield(cg_http_fetch(client, (&(struct cg_http_fetch){__VA_ARGS__}), &reply, .why = why))
#define FIELDS(...) ((const struct cg_http_field[]){__VA_ARGS__, {NULL, NULL}})

static ssize_t get(const char *path)
{
    return FETCH(.url = url(path));
}

/* Where the reply is from, which is freed. */
static enum cg_http_from from(void)
{
    enum cg_http_from is = cg_http_reply_from(reply);

    cg_http_reply_free(reply);
    reply = NULL;
    return is;
}

/* Gets a path, with a field of the request, and tells where the response is from. */
static enum cg_http_from ask_from(const char *path, const char *name, const char *value)
{
    const struct cg_http_field fields[] = {{name, value}, {NULL, NULL}};

    ck_assert_int_eq(FETCH(.url = url(path), .fields = fields), 200);
    return from();
}

/* The first response, how long ago it came, what the second request says in Cache-Control, and
 * what its response must be: FRESH, STALE, SAME (validated), ASKS (from the server, without
 * conditions), GONE (504). */
enum want { FRESH, STALE, SAME, ASKS, GONE, CHANGED };
struct row {
    const char *fields;
    int64_t after;
    const char *request;
    enum want want;
    const char *line;
};

#define TAG "ETag: \"x\"\r\n"
#define CC "Cache-Control: "
#define N "\r\n"
#define HEAD "HTTP/1.1 200 OK\r\nCache-Control: max-age=1000\r\n"
#define OLD "Last-Modified: @-1000\r\n" /* a tenth: 100 s */

static const struct row rows[] = {
    /* How long a response is fresh. */
    {"", 0, NULL, ASKS, NULL},
    {CC "max-age=10" N, 0, NULL, FRESH, NULL},
    {CC "max-age=10" N, 9, NULL, FRESH, NULL},
    {CC "max-age=10" N, 10, NULL, ASKS, NULL},
    {CC "max-age=10" N TAG, 10, NULL, SAME, NULL},
    {CC "max-age=10" N OLD, 10, NULL, SAME, NULL},
    {"cache-control: MAX-AGE=10" N, 9, NULL, FRESH, NULL},
    {CC "max-age=\"10\"" N, 9, NULL, FRESH, NULL},
    {CC "max-age=0" N TAG, 0, NULL, SAME, NULL},
    {CC "max-age=-10" N TAG, 0, NULL, SAME, NULL},
    {CC "max-age=10s" N TAG, 0, NULL, SAME, NULL},
    {CC "max-age=" N TAG, 0, NULL, SAME, NULL},
    {CC "max-age" N TAG, 0, NULL, SAME, NULL},
    {CC "max-age =10" N TAG, 0, NULL, SAME, NULL},
    {CC "max-age=99999999999999999999" N, 2000000000, NULL, FRESH, NULL},
    {CC "max-age=10, max-age=100" N TAG, 50, NULL, SAME, NULL},
    {CC "max-age=100" N CC "max-age=10" N TAG, 50, NULL, SAME, NULL},
    {CC "x=\"a, max-age=1\", max-age=100, y" N TAG, 50, NULL, FRESH, NULL},
    {CC "x=\"\\\", max-age=1\", max-age=100" N TAG, 50, NULL, FRESH, NULL},
    {CC "x=\"open, max-age=100" N TAG, 50, NULL, SAME, NULL},
    {CC "s-maxage=100" N TAG, 0, NULL, SAME, NULL},
    {CC "s-maxage=1, max-age=100" N, 50, NULL, FRESH, NULL},
    {CC "max-age=10" N "Expires: @+100" N TAG, 50, NULL, SAME, NULL},
    {CC "max-age=100" N "Expires: @-100" N TAG, 50, NULL, FRESH, NULL},
    {"Expires: @+10" N, 9, NULL, FRESH, NULL},
    {"Expires: @+10" N TAG, 10, NULL, SAME, NULL},
    {"Expires: @-0" N TAG, 0, NULL, SAME, NULL},
    {"Expires: 0" N TAG, 0, NULL, SAME, NULL},
    {"Expires: soon" N OLD, 0, NULL, SAME, NULL},
    {"Expires: @+10" N "Expires: @+100" N TAG, 5, NULL, SAME, NULL},
    {OLD, 99, NULL, FRESH, NULL},
    {OLD, 101, NULL, SAME, NULL},
    {"Last-Modified: @-100000000" N, 86399, NULL, FRESH, NULL},
    {"Last-Modified: @-100000000" N, 86400, NULL, SAME, NULL},
    {"Last-Modified: @+100" N TAG, 0, NULL, SAME, NULL},
    {OLD, 50, NULL, ASKS, "299 Odd"},
    {OLD CC "public" N, 50, NULL, FRESH, "299 Odd"},
    {CC "max-age=10" N, 9, NULL, FRESH, "299 Odd"},
    {CC "max-age=10" N "Age: 5" N, 4, NULL, FRESH, NULL},
    {CC "max-age=10" N "Age: 5" N TAG, 5, NULL, SAME, NULL},
    {CC "max-age=10" N "Age: 11" N, 0, NULL, ASKS, NULL},
    {CC "max-age=10" N "Age: x" N, 9, NULL, FRESH, NULL},
    {CC "max-age=10" N "Age: 99999999999999999999" N TAG, 0, NULL, SAME, NULL},
    /* What may not be stored, or not be used without the server. */
    {CC "no-store" N TAG OLD, 0, NULL, ASKS, NULL},
    {CC "No-Store, max-age=10" N, 0, NULL, ASKS, NULL},
    {CC "max-age=10, no-cache" N TAG, 0, NULL, SAME, NULL},
    {CC "max-age=10, no-cache" N, 0, NULL, ASKS, NULL},
    {CC "max-age=10, no-cache=\"Set-Cookie, X\"" N TAG, 0, NULL, SAME, NULL},
    {CC "max-age=10, private" N, 9, NULL, FRESH, NULL},
    {CC "max-age=10, private=\"X\"" N, 9, NULL, FRESH, NULL},
    {CC "max-age=10, must-understand, no-store" N, 9, NULL, FRESH, NULL},
    {CC "max-age=10, must-understand" N, 0, NULL, ASKS, "299 Odd"},
    {CC "max-age=10" N "Vary: *" N TAG, 0, NULL, ASKS, NULL},
    {CC "max-age=10" N "Vary: Accept, *" N TAG, 0, NULL, ASKS, NULL},
    {"Pragma: no-cache" N CC "max-age=10" N, 9, NULL, FRESH, NULL},
    {CC "max-age=10" N TAG, 5, "max-age=5", FRESH, NULL},
    {CC "max-age=10" N TAG, 6, "max-age=5", SAME, NULL},
    {CC "max-age=10" N TAG, 0, "max-age=0", SAME, NULL},
    {CC "max-age=10" N TAG, 0, "no-cache", SAME, NULL},
    {CC "max-age=10" N, 0, "no-cache", ASKS, NULL},
    {CC "max-age=10" N TAG, 0, "no-store", ASKS, NULL},
    {CC "max-age=10" N TAG, 5, "min-fresh=5", FRESH, NULL},
    {CC "max-age=10" N TAG, 6, "min-fresh=5", SAME, NULL},
    {CC "max-age=10" N TAG, 0, "min-fresh=x", SAME, NULL},
    {CC "max-age=10" N TAG, 15, "max-stale=5", STALE, NULL},
    {CC "max-age=10" N TAG, 16, "max-stale=5", SAME, NULL},
    {CC "max-age=10" N TAG, 1600, "max-stale", STALE, NULL},
    {CC "max-age=10" N TAG, 11, "max-stale=x", SAME, NULL},
    {CC "max-age=10, must-revalidate" N TAG, 11, "max-stale", SAME, NULL},
    {CC "max-age=10, proxy-revalidate" N TAG, 11, "max-stale", STALE, NULL},
    {CC "max-age=10, no-cache" N TAG, 5, "max-stale", SAME, NULL},
    {CC "max-age=10" N, 9, "only-if-cached", FRESH, NULL},
    {CC "max-age=10" N TAG, 10, "only-if-cached", GONE, NULL},
    {CC "max-age=10" N TAG, 10, "only-if-cached, max-stale=1", STALE, NULL},
    {CC "no-store" N, 0, "only-if-cached", GONE, NULL},
    /* Statuses. */
    {OLD, 50, NULL, FRESH, "203 Other"},
    {OLD, 50, NULL, FRESH, "404 Not Found"},
    {OLD, 50, NULL, FRESH, "410 Gone"},
    {OLD, 50, NULL, ASKS, "403 No"},
    {CC "max-age=10" N, 9, NULL, FRESH, "403 No"},
    {CC "max-age=10" N, 0, NULL, ASKS, "503 Busy"},
    {CC "max-age=10" N "Content-Range: bytes 0-1/5" N, 0, NULL, ASKS, "206 Part"},
};

static enum want second(ssize_t status)
{
    static const enum want wants[] = {
        [CG_HTTP_FROM_CACHE] = FRESH, [CG_HTTP_FROM_STALE] = STALE, [CG_HTTP_FROM_VALIDATED] = SAME};
    enum cg_http_from is = from();

    if (is == CG_HTTP_FROM_SERVER && status == 504)
        return GONE;
    return is != CG_HTTP_FROM_SERVER ? wants[is] : origin_heard("If-") ? CHANGED : ASKS;
}

static ssize_t keeps_to_directives(void *arg)
{
    (void)arg;
    for (const struct row *row = rows; row < rows + COUNT(rows); row++) {
        const struct cg_http_field fields[] = {{"Cache-Control", row->request}, {NULL, NULL}};
        struct cg_http_fetch fetch = {.url = NULL, .fields = row->request ? fields : NULL};
        ssize_t status;
        enum want is;
        unsigned asked;

        begin();
        fetch.url = origin.url;
        origin.fields = row->fields;
        origin.line = row->line ? row->line : "200 OK";
        MUST(get("") >= 200 && from() == CG_HTTP_FROM_SERVER, "%s: no", row->fields);
        cg_yield(cg_sleep(row->after * CG_SECOND));
        asked = origin.asked;
        status = cg_yield(cg_http_fetch(client, &fetch, &reply, .why = why));
        is = second(status);
        MUST(is == row->want, "%s after %d, %s: %d, not %d", row->fields, (int)row->after,
             row->request ? row->request : "", is, row->want);
        MUST((origin.asked > asked) == (is == SAME || is == ASKS), "%s: asked", row->fields);
        end();
    }
    return 0;
}

/* Checks the body of the reply, and frees it. */
static void has_body(const char *want)
{
    ck_assert_str_eq(cg_http_reply_body(reply, NULL), want);
    cg_http_reply_free(reply);
    reply = NULL;
}

#define FROM(path, where)                                                                  \
    do {                                                                                   \
        IS(get(path), 200);                                                                \
        IS(from(), where);                                                                 \
    } while (0)

/* A stored reply is the whole response: head, body, and the age of it. */
static ssize_t stores_it_all(void *arg)
{
    (void)arg;
    begin();
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
    return end();
}

/* A 304 renews the head, but not what is about the body; and no-store removes it. */
static ssize_t updates_heads(void *arg)
{
    (void)arg;
    begin();
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
    return end();
}

/* A 304 about another response validates nothing; a changed response replaces the old one. */
static ssize_t is_not_fooled(void *arg)
{
    (void)arg;
    begin();
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
    return end();
}

/* Vary: each value has a response of its own, at most so many; the caller's conditions, and
 * parts, and requests to another host than the URL's, are none of the cache's business. */
static ssize_t tells_requests_apart(void *arg)
{
    char value[16];

    (void)arg;
    begin();
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
    return end();
}

/* What one user has got is not for another, unless it is public. */
static ssize_t tells_users_apart(void *arg)
{
    (void)arg;
    begin();
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
    return end();
}

/* Unsafe methods invalidate their URL, and what their response names there. */
static ssize_t forgets_what_changed(void *arg)
{
    static const char *const paths[] = {"/a", "/b", "/c", "/d"};

    (void)arg;
    begin();
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
    return end();
}

/* When the server fails, a stale response may take its place. */
static ssize_t bridges_failures(void *arg)
{
    (void)arg;
    begin();
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
    IS(FETCH(.url = origin.url, .fields = FIELDS({"Cache-Control", "no-cache, stale-if-error=100"})),
       503);
    from();
    origin.breaks = true;
    IS(get("/"), CG_EOF);
    origin.breaks = false;
    origin.line = "200 OK";
    FROM("/", CG_HTTP_FROM_SERVER);
    return end();
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
    begin();
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
    return end();
}

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
    begin();
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
    return end();
}

/* A response that was asked for before its URL was changed is not stored. */
static ssize_t stores_nothing_outdated(void *arg)
{
    struct cg_http_reply *old;
    char buf[8];

    (void)arg;
    begin();
    origin.fields = CC "max-age=1000" N;
    IS(FETCH(.url = origin.url, .stream = true), 200);
    old = reply;
    IS(FETCH(.url = origin.url, .method = "PUT", .body = "x", .len = 1), 200);
    from();
    IS(cg_yield(cg_http_read_reply(old, buf, sizeof buf)), 1);
    cg_http_reply_free(old);
    FROM("/", CG_HTTP_FROM_SERVER);
    FROM("/", CG_HTTP_FROM_CACHE);
    return end();
}

/* Memory is bounded; what was not used for the longest time goes first, and what is too large
 * is not stored. */
static ssize_t keeps_its_limits(void *arg)
{
    static char large[40000];
    struct cg_http_cache_stats stats;
    char path[16];

    (void)arg;
    begin();
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
    return end();
}

/* Redirects are stored like other responses. */
static ssize_t stores_redirects(void *arg)
{
    (void)arg;
    begin();
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
    return end();
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
    begin();
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
    begin();
    origin.fields = CC "max-age=1000" N "Content-Encoding: gzip" N;
    origin.body = "this is not gzip";
    IS(get("/"), CG_EHTTP_CODING);
    IS(get("/"), CG_EHTTP_CODING);
    IS(origin.asked, 2);
    IS(FETCH(.url = origin.url, .raw = true), 200);
    has_body(origin.body);
    return end();
}

static const struct test_case cases[] = {
    CORO(keeps_to_directives, .where = ON_SIM),
    CORO(stores_it_all, .where = ON_SIM),
    CORO(updates_heads, .where = ON_SIM),
    CORO(is_not_fooled, .where = ON_SIM),
    CORO(tells_requests_apart, .where = ON_SIM),
    CORO(tells_users_apart),
    CORO(forgets_what_changed),
    CORO(bridges_failures, .where = ON_SIM),
    CORO(tells_impostors, .where = ON_SIM),
    CORO(stores_whole_bodies),
    CORO(stores_nothing_outdated),
    CORO(keeps_its_limits),
    CORO(stores_redirects),
    CORO(is_shared, .where = ON_SIM),
    CORO(drops_corrupt_bodies),
};

int main(void)
{
    return test_main("http cache", cases, COUNT(cases));
}
