/* SPDX-License-Identifier: MIT */
/* What is sent of a static file: none of one that the client has, ranges, and files whose size is
 * not known; and their types. */
#include "config.h"

#include "http/files/files.h"
#include "tests/http/files/files_ask.h"
#include "tests/http/http2/h2_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

time_t __wrap_time(time_t *to);

/* time() tells the second of the last tick, here one that has just passed. */
time_t __wrap_time(time_t *to)
{
    time_t now = (time_t)(test_clock(CLOCK_REALTIME) / CG_SECOND) - 1;

    if (to != NULL)
        *to = now;
    return now;
}

static const char *special_name, *special_line;

static ssize_t look_special(void *arg)
{
    (void)arg;
    IS(get(special_name), 200);
    ck_assert_str_eq(field("Content-Length"), "(none)");
    ck_assert_ptr_nonnull(strstr(body(), special_line));
    IS(strstr(body(), "\r\n0\r\n\r\n") != NULL, !h2_text_on);
    IS(ask("GET", special_name, "Range: bytes=0-1\r\n"), 200);
    IS(ask("HEAD", special_name, ""), 200);
    ck_assert_str_eq(body(), "");
    return 0;
}

/* The size of a file that the kernel generates while it is read is not known before. */
static ssize_t special(void *arg)
{
    static const char *const folders[] = {"/proc/self", "/sys/kernel"};
    static const char *const names[] = {"/status", "/fscaps"};
    char path[64], line[32];
    FILE *file;

    (void)arg;
    for (size_t i = 0; i < COUNT(folders); i++) {
        snprintf(path, sizeof path, "%s%s", folders[i], names[i]);
        file = fopen(path, "r");
        if (file == NULL || fgets(line, sizeof line, file) == NULL) {
            printf("SKIP: there is no %s\n", path);
            continue;
        }
        fclose(file);
        special_name = names[i];
        special_line = line;
        files_serve(look_special, folders[i], NULL);
    }
    return 0;
}

/* A file that the client already has is not sent again, unless it has changed. */
static ssize_t look_conditions(void *arg)
{
    char etag[128], date[64], fields[256];

    (void)arg;
#define ASK(...) (snprintf(fields, sizeof fields, __VA_ARGS__), ask("GET", "/a.txt", fields))
    IS(get("/a.txt"), 200);
    snprintf(etag, sizeof etag, "%s", field("ETag"));
    snprintf(date, sizeof date, "%s", field("Last-Modified"));
    IS(ASK("If-None-Match: %s\r\n", etag), 304);
    ck_assert_str_eq(body(), "");
    ck_assert_str_eq(field("ETag"), etag);
    IS(ASK("If-None-Match: \"x\", W/%s\r\n", etag), 304);
    IS(ASK("If-None-Match: *\r\n"), 304);
    IS(ASK("If-None-Match: \"x\"\r\nIf-Modified-Since: %s\r\n", date), 200);
    IS(ASK("If-Modified-Since: %s\r\n", date), 304);
    IS(ASK("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), 200);
    IS(ASK("If-Modified-Since: yesterday\r\n"), 200);
    IS(ASK("If-None-Match: \"x\"\r\nIf-None-Match: %s\r\n", etag), 304);
    IS(ASK("If-None-Match: \"x\"\r\nIf-None-Match: \"y\"\r\n"), 200);
    IS(ASK("If-Match: %s\r\n", etag), 200);
    IS(ASK("If-Match: \"x\"\r\nIf-Match: %s\r\n", etag), 200);
    IS(ASK("If-Match: \"x\", W/%s\r\n", etag), 412);
    IS(ASK("If-Match: \"x\"\r\n"), 412);
    IS(ASK("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), 412);
    IS(ASK("If-Unmodified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n"), 412);
    IS(ASK("If-Unmodified-Since: Sun Nov  6 08:49:37 1994\r\n"), 412);
    IS(ASK("If-Unmodified-Since: yesterday\r\n"), 200);
    IS(ASK("If-Match: %s\r\nIf-Unmodified-Since: Sun Nov  6 08:49:37 1994\r\n", etag), 200);
    IS(ASK("Range: bytes=2-4\r\nIf-Range: %s\r\n", etag), 206);
    IS(ASK("Range: bytes=2-4\r\nIf-Range: \"x\"\r\n"), 200);
    IS(ASK("Range: bytes=2-4\r\nIf-Range: W/%s\r\n", etag), 200);
    IS(ASK("Range: bytes=2-4\r\nIf-Range: %s\r\n", date), 200);
    IS(ASK("Range: bytes=2-4\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), 200);
    IS(ASK("Range: bytes=2-4\r\nRange: bytes=2-4\r\n"), 200);
    IS(ASK("Range: bytes=2-4\r\nIf-Range: %s\r\nIf-Range: \"x\"\r\n", etag), 200);
    IS(ASK("If-Modified-Since: %s\r\nIf-Modified-Since: %s\r\n", date, date), 200);
    return 0;
}

static ssize_t conditions(void *arg)
{
    (void)arg;
    return files_with(look_conditions, NULL);
}

/* A response that refuses has no field of the file: it is not encoded, and a cache must not keep
 * it for as long as the file. */
static ssize_t look_refusals(void *arg)
{
    static const char *const fields[] = {"Content-Encoding", "ETag", "Last-Modified",
                                         "Cache-Control"};
    static const struct {
        const char *condition;
        int status;
    } cases[] = {{"If-Match: \"x\"", 412}, {"Range: bytes=100-", 416}};

    (void)arg;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[128];

        snprintf(text, sizeof text, "Accept-Encoding: br\r\n%s\r\n", cases[i].condition);
        IS(ask("GET", "/c.css", text), cases[i].status);
        ck_assert_str_eq(field("Content-Type"), "text/plain; charset=utf-8");
        for (size_t k = 0; k < COUNT(fields); k++)
            ck_assert_str_eq(field(fields[k]), "(none)");
    }
    IS(ask("GET", "/c.css", "Accept-Encoding: br\r\nRange: bytes=1-2\r\n"), 206);
    ck_assert_str_eq(body(), "ro");
    ck_assert_str_eq(field("Content-Encoding"), "br");
    ck_assert_str_eq(field("Cache-Control"), "max-age=99");
    IS(ask("GET", "/c.css", "If-None-Match: *\r\n"), 304);
    ck_assert_str_eq(field("Cache-Control"), "max-age=99");
    return 0;
}

static ssize_t refusals(void *arg)
{
    (void)arg;
    return files_with(look_refusals, &(struct cg_http_files_options){.cache = "max-age=99"});
}

/* No file is said to have changed later than now, and one that seems to is sent at each request. */
static ssize_t look_future(void *arg)
{
    char fields[128];
    int64_t moment;

    (void)arg;
    files_date("www/a.txt", 1LL << 32);
    IS(get("/a.txt"), 200);
    snprintf(fields, sizeof fields, "If-Modified-Since: %s\r\n", field("Last-Modified"));
    ck_assert(cg_http_date_parse(field("Last-Modified"), &moment));
    ck_assert_int_le(moment, test_clock(CLOCK_REALTIME) / CG_SECOND);
    IS(ask("GET", "/a.txt", fields), 200);
    files_date("www/a.txt", -1);
    IS(get("/a.txt"), 200);
    ck_assert_str_eq(field("Last-Modified"), "Wed, 31 Dec 1969 23:59:59 GMT");
    return 0;
}

static ssize_t future(void *arg)
{
    (void)arg;
    return files_with(look_future, NULL);
}

/* A file that has just changed has the date of that change at once, as in all later responses. */
static ssize_t look_present(void *arg)
{
    time_t now = (time_t)(test_clock(CLOCK_REALTIME) / CG_SECOND);
    int64_t moment;

    (void)arg;
    files_date("www/a.txt", now);
    IS(get("/a.txt"), 200);
    ck_assert(cg_http_date_parse(field("Last-Modified"), &moment));
    ck_assert_int_eq(moment, now);
    return 0;
}

static ssize_t present(void *arg)
{
    (void)arg;
    return files_with(look_present, NULL);
}

static ssize_t look_ranges(void *arg)
{
    static const struct {
        const char *range;
        int status;
        const char *content_range, *body;
    } cases[] = {
        {"bytes=2-4", 206, "bytes 2-4/10", "234"},
        {"bytes=7-", 206, "bytes 7-9/10", "789"},
        {"bytes=7-99", 206, "bytes 7-9/10", "789"},
        {"bytes=-3", 206, "bytes 7-9/10", "789"},
        {"bytes=-99", 206, "bytes 0-9/10", "0123456789"},
        {"bytes=0-0", 206, "bytes 0-0/10", "0"},
        {"bytes=10-", 416, "bytes */10", NULL},
        {"bytes=-0", 416, "bytes */10", NULL},
        {"bytes=4-2", 200, "(none)", "0123456789"},
        {"bytes=0-1,3-4", 200, "(none)", "0123456789"},
        {"bytes=x-", 200, "(none)", "0123456789"},
        {"bytes=99999999999999999999-", 416, "bytes */10", NULL},
        {"bytes=8-99999999999999999999", 206, "bytes 8-9/10", "89"},
        {"bytes=-99999999999999999999", 206, "bytes 0-9/10", "0123456789"},
        {"Bytes=2-4", 206, "bytes 2-4/10", "234"},
        {"lines=1-2", 200, "(none)", "0123456789"},
    };

    (void)arg;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char fields[64];

        snprintf(fields, sizeof fields, "Range: %s\r\n", cases[i].range);
        IS(ask("GET", "/a.txt", fields), cases[i].status);
        ck_assert_str_eq(field("Content-Range"), cases[i].content_range);
        if (cases[i].body != NULL)
            ck_assert_str_eq(body(), cases[i].body);
    }
    files_put("www/empty.txt", "");
    IS(ask("GET", "/empty.txt", "Range: bytes=0-\r\n"), 200);
    IS(ask("GET", "/empty.txt", "Range: bytes=-1\r\n"), 200);
    IS(ask("HEAD", "/a.txt", "Range: bytes=2-4\r\n"), 200);
    ck_assert_str_eq(field("Content-Length"), "10");
    ck_assert_str_eq(field("Content-Range"), "(none)");
    return 0;
}

static ssize_t ranges(void *arg)
{
    (void)arg;
    return files_with(look_ranges, NULL);
}

/* The last dot of the file name counts. A dot in a folder's name does not. */
static void types(void)
{
    ck_assert_str_eq(cg__http_mime("/a.b/c.HTML"), "text/html; charset=utf-8");
    ck_assert_str_eq(cg__http_mime("a.html.png"), "image/png");
    ck_assert_str_eq(cg__http_mime("/a.html/b"), "application/octet-stream");
    ck_assert_str_eq(cg__http_mime("/html"), "application/octet-stream");
    ck_assert_str_eq(cg__http_mime("a."), "application/octet-stream");
    ck_assert_str_eq(cg__http_mime("a.webmanifestations"), "application/octet-stream");
    ck_assert_str_eq(cg__http_mime("a.webmanifest"), "application/manifest+json");
    ck_assert_str_eq(cg__http_mime("a.7z"), "application/x-7z-compressed");
    ck_assert_str_eq(cg__http_mime("a.zst"), "application/zstd");
    ck_assert_str_eq(cg__http_mime("a.woff2"), "font/woff2");
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(special),
        CORO(conditions),
        CORO(ranges),
        CORO(refusals),
        CORO(future),
        CORO(present),
    };
    static const struct test_case once[] = {
        PLAIN(types, .where = ON_SIM),
    };

    return both_main("http files sent", cases, COUNT(cases), once, COUNT(once));
}
