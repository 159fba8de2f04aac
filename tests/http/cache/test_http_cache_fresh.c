/* SPDX-License-Identifier: MIT */
/* How long the client's cache uses a response, directive by directive: RFC 9111, of a private
 * cache. */
#include "config.h"

#include "tests/http/cache/cache_client.h"
#include "tests/support/must.h"

/* What becomes of the second of two requests. */
enum want {
    FRESH,   /* the first response is used */
    STALE,   /* the same, although it is stale */
    SAME,    /* the server validates it */
    ASKS,    /* the server is asked without conditions */
    GONE,    /* 504 */
    CHANGED, /* the server is asked with conditions, and responds anew: no row wants that */
};
struct row {
    const char *fields;  /* of the first response */
    int64_t after;       /* seconds between the requests */
    const char *request; /* Cache-Control of the second one; NULL: it has none */
    enum want want;
    const char *line; /* status of the responses; NULL: 200 */
};

#define OLD "Last-Modified: @-1000\r\n" /* fresh for a tenth of that: 100 s */

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
    {CC "max-age=10" N "Age: 5, 9" N, 4, NULL, FRESH, NULL},
    {CC "max-age=10" N "Age: 5, 1" N TAG, 5, NULL, SAME, NULL},
    {CC "max-age=10" N "Age: 5 ,x" N TAG, 5, NULL, SAME, NULL},
    {CC "max-age=10" N "Age: 5" N "Age: 1" N TAG, 5, NULL, SAME, NULL},
    {CC "max-age=10" N "Age: 5 9" N, 9, NULL, FRESH, NULL},
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
        [CG_HTTP_FROM_CACHE] = FRESH,
        [CG_HTTP_FROM_STALE] = STALE,
        [CG_HTTP_FROM_VALIDATED] = SAME,
    };
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

        cache_begin();
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
        cache_end();
    }
    return 0;
}

static const struct test_case cases[] = {
    CORO(keeps_to_directives, .where = ON_SIM),
};

int main(void)
{
    return test_main("http cache fresh", cases, COUNT(cases));
}
