/* SPDX-License-Identifier: MIT */
/* Cookie jars: which cookies are taken, and which ones a request gets. */
#include "config.h"

#include "http/cookies/cookie_date.h"
#include "http/cookies/jar.h"
#include "tests/support/must.h"
#include "tests/support/support.h"

#include <cogen/http_cookie.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    NOW = 1700000000,
    DAY = 24 * 60 * 60
};

static struct cg_http_jar *jar;

static int set_at(const char *url, const char *text, int64_t now, const char **words)
{
    struct cg__url parsed;
    int rc;

    OK(cg__http_url_parse(&parsed, url, words));
    rc = cg__http_jar_set(jar, &parsed, text, now, words);
    cg__http_url_free(&parsed);
    return rc;
}

/* The cookies for a URL at a moment. */
static const char *get_at(const char *url, int64_t now)
{
    static char buf[CG_HTTP_JAR_SENT + 1];
    const char *words;
    struct cg__url parsed;

    OK(cg__http_url_parse(&parsed, url, &words));
    cg__http_jar_get(jar, &parsed, now, buf);
    cg__http_url_free(&parsed);
    return buf;
}

/* Dates as browsers read them, and what they do not read. */
START_TEST(reads_dates)
{
    static const struct {
        const char *text;
        int64_t moment; /* -1: invalid */
    } dates[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"6 nov 1994 8:49:37", 784111777},
        {"1994 NOVEMBER 08:49:37x 6th", 784111777},
        {"08:49:37 06;nov;94", 784111777},
        {"Thu, 01-Jan-1970 00:00:00 GMT", 0},
        {"Thu, 01-Jan-70 00:00:01 GMT", 1},
        {"01 Jan 69 00:00:00", 3124224000},
        {"01 Jan 1601 00:00:00", -11644473600},
        {"29 Feb 2000 23:59:59", 951868799},
        {"", -1},
        {"6 Nov 1994", -1},
        {"08:49:37 Nov 1994", -1},
        {"08:49:37 6 1994", -1},
        {"08:49:37 6 Nov", -1},
        {"08:49:37 06 Nov 994", -1},
        {"08:49:37 06 Nov 1600", -1},
        {"08:49:37 06 Nov 19941", -1},
        {"08:49:37 32 Nov 1994", -1},
        {"08:49:37 0 Nov 1994", -1},
        {"08:49:37 31 Nov 1994", -1},
        {"29 Feb 1900 00:00:00", -1},
        {"24:49:37 6 Nov 1994", -1},
        {"08:60:37 6 Nov 1994", -1},
        {"08:49:60 6 Nov 1994", -1},
        {"08:49:370 6 Nov 1994", -1},
        {"08:49 6 Nov 1994", -1},
        {"8 : 49 : 37 6 Nov 1994", -1},
        {"08:49:37 6 No 1994", -1},
    };

    for (size_t i = 0; i < COUNT(dates); i++) {
        size_t len = strlen(dates[i].text);
        char *copy =
            malloc(len); /* without a NUL, so that ASan finds each byte too many */
        int64_t moment = -1;
        bool valid;

        memcpy(copy, dates[i].text, len);
        valid = cg__http_cookie_date(copy, len, &moment);
        MUST(valid == (dates[i].moment != -1) && moment == dates[i].moment, "%s: %lld",
             dates[i].text, (long long)moment);
        free(copy);
    }
}
END_TEST

struct step {
    const char *url;
    const char *text; /* of Set-Cookie; NULL: asks for the cookies */
    const char *want; /* why it is refused, or the cookies; NULL: it is accepted */
};

static void take_steps(const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct step *step = &steps[i];
        const char *got = NULL;

        if (step->text != NULL)
            set_at(step->url, step->text, NOW, &got);
        else
            got = get_at(step->url, NOW);
        MUST((got == NULL) == (step->want == NULL) &&
                 (got == NULL || !strcmp(got, step->want)),
             "step %zu, %s %s: %s", i, step->url, step->text ? step->text : "",
             got ? got : "-");
    }
}

#define STEPS(...)                                                                     \
    do {                                                                               \
        static const struct step steps_[] = {__VA_ARGS__};                             \
                                                                                       \
        jar = cg_http_jar_new();                                                       \
        take_steps(steps_, COUNT(steps_));                                             \
        cg_http_jar_free(jar);                                                         \
    } while (0)

#define A "http://a.test/"
#define AS "https://a.test/"

/* Names, values and attributes, well formed or not. */
START_TEST(takes_apart)
{
    STEPS({A, "a=1", NULL}, {A, NULL, "a=1"}, {A, "a=2", NULL}, {A, NULL, "a=2"},
          {A, " b\t=\t3 4 ; x=y ;;=;path", NULL}, {A, NULL, "a=2; b=3 4"},
          {A, "c=", NULL}, {A, "d", NULL}, {A, "=e", NULL},
          {A, NULL, "a=2; b=3 4; c=; e"}, {A, "f=\"x=y\"", NULL},
          {A, NULL, "a=2; b=3 4; c=; e; f=\"x=y\""}, {A, "a=; max-AGE=0", NULL},
          {A, "b=;Expires=Thu, 01 Jan 1970 00:00:00 GMT", NULL},
          {A, "c=; Max-Age=-5", NULL}, {A, "e; max-age=-", NULL},
          {A, NULL, "e; f=\"x=y\""}, {A, "", "it has neither a name nor a value"},
          {A, " = ;Path=/", "it has neither a name nor a value"},
          {A, "a\x01=1", "it has control characters"},
          {A, "a=1; path=/\x7f", "it has control characters"},
          {A, "a\tb=1", "it has a tab"}, {A, "a=1\t2", "it has a tab"},
          {A, "a=1;path=/a\tb", "it has a tab"});
    /* Max-Age is stronger than Expires, whatever their order; invalid ones are ignored. */
    STEPS({A, "a=1; max-age=9; expires=Thu, 01 Jan 1970 00:00:00 GMT", NULL},
          {A, "b=1; expires=Thu, 01 Jan 1970 00:00:00 GMT; max-age=9", NULL},
          {A, "c=1; max-age=x; expires=yesterday", NULL}, {A, "d=1; max-age=9x", NULL},
          {A, "e=1; max-age=0; expires=Fri, 01 Jan 2100 00:00:00 GMT", NULL},
          {A, NULL, "a=1; b=1; c=1; d=1"});
}
END_TEST

/* Hosts, and those beneath them. */
START_TEST(matches_domains)
{
    STEPS({"http://x.a.test/", "own=1", NULL},
          {"http://x.a.test/", "all=1; Domain=a.test", NULL},
          {"http://x.a.test/", "dot=1; Domain=.A.TEST", NULL},
          {"http://x.a.test/", "none=1; Domain=", NULL},
          {"http://x.a.test/", "last=1; Domain=b.test; domain=a.test", NULL},
          {"http://x.a.test/", NULL, "own=1; all=1; dot=1; none=1; last=1"},
          {"http://X.A.test:81/", NULL, "own=1; all=1; dot=1; none=1; last=1"},
          {A, NULL, "all=1; dot=1; last=1"},
          {"http://y.x.a.test/", NULL, "all=1; dot=1; last=1"},
          {"http://xa.test/", NULL, ""}, {"http://a.test.b/", NULL, ""});
#define NOT "its domain is not that of the host"
#define PUBLIC "its domain is a public suffix"
    STEPS({A, "a=1; Domain=x.a.test", NOT}, {A, "a=1; Domain=b.test", NOT},
          {A, "a=1; Domain=.test", PUBLIC}, {A, "a=1; Domain=..a.test", NOT},
          {A, "a=1; Domain=a.test.", NOT}, {A, "a=1; Domain=\xc3\xa4.test", NOT},
          {"http://10.0.0.1/", "a=1; Domain=10.0.0.1", NULL},
          {"http://10.0.0.1/", "a=1; Domain=0.0.1", NOT},
          {"http://[::1]/", "a=1", NULL}, {"http://10.0.0.1/", NULL, "a=1"},
          {"http://1.10.0.0.1/", NULL, ""}, {"http://[::1]/", NULL, "a=1"},
          {"http://localhost/", "a=1; Domain=localhost", NULL},
          {"http://localhost/", NULL, "a=1"}, {"http://x.localhost/", NULL, ""},
          {"http://x.localhost/", "a=1; Domain=localhost", PUBLIC},
          {"http://x.test./", "a=1; Domain=test.", PUBLIC},
          {"http://test./", "a=1; Domain=test.", NULL}, {"http://x.test./", NULL, ""},
          {"http://test./", NULL, "a=1"});
#ifdef HAVE_PSL
    STEPS({"http://x.co.uk/", "a=1; Domain=co.uk", PUBLIC},
          {"http://x.co.uk./", "a=1; Domain=co.uk.", PUBLIC},
          {"http://x.co.uk/", "a=1", NULL},
          {"http://y.x.co.uk/", "b=1; Domain=x.co.uk", NULL},
          {"http://x.co.uk/", NULL, "a=1; b=1"},
          {"http://me.github.io/", "a=1; Domain=github.io", PUBLIC},
          {"http://github.io/", "a=1; Domain=github.io", NULL},
          {"http://me.github.io/", NULL, ""});
#endif
}
END_TEST

/* Paths, by whole segments; the longest one first, then the oldest cookie. */
START_TEST(matches_paths)
{
    STEPS({"http://a.test/x/y?z=/", "dir=1", NULL},
          {"http://a.test/x/y", "root=1; Path=/", NULL},
          {"http://a.test/x/y", "long=1; Path=/x/y", NULL},
          {"http://a.test/x/y", "slash=1; Path=/x/y/", NULL},
          {"http://a.test/x/y", "odd=1; Path=x", NULL},
          {"http://a.test/x/y", "no=1; path", NULL},
          {"http://a.test/x/y", NULL, "long=1; dir=1; odd=1; no=1; root=1"},
          {"http://a.test/x/y/", NULL, "slash=1; long=1; dir=1; odd=1; no=1; root=1"},
          {"http://a.test/x/yz", NULL, "dir=1; odd=1; no=1; root=1"},
          {"http://a.test/x", NULL, "dir=1; odd=1; no=1; root=1"}, {A, NULL, "root=1"},
          {"http://a.test/?/x/y", NULL, "root=1"},
          {"http://a.test/x?y", NULL, "dir=1; odd=1; no=1; root=1"},
          {"http://a.test/x", "dir=2; path=/x", NULL},
          {"http://a.test/x", NULL, "dir=2; odd=1; no=1; root=1"});
}
END_TEST

/* Secure cookies travel by https only, and nothing that came by http replaces them. */
START_TEST(keeps_secrets)
{
    STEPS({AS, "s=1; Secure; HttpOnly", NULL}, {AS, NULL, "s=1"}, {A, NULL, ""},
          {A, "s=2", "a cookie for https has its name"},
          {"http://x.a.test/", "s=2; Domain=a.test", "a cookie for https has its name"},
          {"http://x.a.test/", "s=2", "a cookie for https has its name"},
          {A, "t=1; Secure", "it is for https, and came over http"}, {AS, "s=2", NULL},
          {A, NULL, "s=2"}, {A, "n=1; SameSite=None", "SameSite=None without Secure"},
          {AS, "n=1; samesite=none; secure", NULL}, {A, "l=1; SameSite=Lax", NULL});
#define PREFIX "it breaks the rules of its name's prefix"
    STEPS({AS, "__Secure-a=1; Secure", NULL}, {AS, "__secure-b=1", PREFIX},
          {AS, "__Host-c=1; Secure; Path=/", NULL}, {AS, "__Host-c=1; Path=/", PREFIX},
          {AS, "__Host-c=1; Secure; Path=/x", PREFIX},
          {AS, "__HOST-c=1; Secure; Path=/; Domain=a.test", PREFIX},
          {"https://a.test/x/y", "__Host-c=1; Secure", PREFIX},
          {AS, "=__Host-c=1; Secure", PREFIX}, {AS, "__Secure-", PREFIX},
          {AS, "__Http-d=1; Secure", PREFIX},
          {AS, "__Http-d=1; Secure; HttpOnly", NULL},
          {AS, NULL, "__Secure-a=1; __Host-c=1; __Http-d=1"});
}
END_TEST

/* A cookie expires at its second, and after 400 days at most. */
START_TEST(expires)
{
    struct cg_http_jar_cookie cookie;
    const void *at = NULL;
    const char *words;

    jar = cg_http_jar_new();
    OK(set_at(A, "a=1; max-age=10", NOW, &words));
    ck_assert_str_eq(get_at(A, NOW + 9), "a=1");
    ck_assert_str_eq(get_at(A, NOW + 10), "");
    OK(set_at(AS, "s=1; secure; max-age=10", NOW, &words));
    IS(set_at(A, "s=2; max-age=20", NOW + 9, &words), -EINVAL);
    OK(set_at(A, "s=2; max-age=20", NOW + 10, &words));
    ck_assert_str_eq(get_at(A, NOW + 29), "s=2");
    ck_assert_str_eq(get_at(A, NOW + 30), "");
    cg_http_jar_free(jar);
    jar = cg_http_jar_new();
    OK(set_at(A, "a=2; max-age=99999999999999999999", NOW, &words));
    OK(set_at(A, "b=1; expires=Fri, 01 Jan 9999 00:00:00 GMT", NOW, &words));
    OK(set_at(A, "c=1; samesite=strict", NOW, &words));
    ck_assert_str_eq(get_at(A, NOW + 400LL * DAY - 1), "a=2; b=1; c=1");
    ck_assert_str_eq(get_at(A, NOW + 400LL * DAY), "c=1");
    ck_assert(cg_http_jar_next(jar, &at, &cookie));
    ck_assert_str_eq(cookie.name, "a");
    IS(cookie.expires, NOW + 400LL * DAY);
    IS((ssize_t)cg_http_jar_end_session(jar), 1);
    ck_assert(cg_http_jar_next(jar, &at, &cookie));
    ck_assert(!cg_http_jar_next(jar, &at, &cookie));
    IS((ssize_t)cg_http_jar_remove(jar, "A.test", "b"), 1);
    IS((ssize_t)cg_http_jar_remove(jar, NULL, NULL), 1);
    cg_http_jar_free(jar);
}
END_TEST

static unsigned number(void)
{
    struct cg_http_jar_cookie cookie;
    const void *at = NULL;
    unsigned n = 0;

    while (cg_http_jar_next(jar, &at, &cookie))
        n++;
    return n;
}

static void set_many(const char *url, const char *name, int n, const char *rest)
{
    const char *words;
    char text[5000];

    for (int i = 0; i < n; i++) {
        snprintf(text, sizeof text, "%s%d=1%s", name, i, rest);
        MUST(set_at(url, text, NOW, &words) == 0, "%s", words);
    }
}

/* Beyond the limits go expired cookies, of a site those without Secure first, then those that
 * were not used for the longest time. Others lose nothing to a site's own flood. */
START_TEST(has_limits)
{
    static char large[CG_HTTP_COOKIE_LIMIT + 2];
    const char *words;

    memset(large, 'x', sizeof large - 1);
    jar = cg_http_jar_new(.per_site = 3, .cookies = 5);
    IS(set_at(A, large, NOW, &words), -EINVAL);
    ck_assert_str_eq(words, "its name and value are too long");
    OK(set_at("http://b.test/", "b=1", NOW, &words));
    OK(set_at(AS, "s=1; secure", NOW, &words));
    OK(set_at(A, "x=1; max-age=1", NOW - 10, &words));
    set_many(A, "a", 2, "");
    ck_assert_str_eq(get_at(AS, NOW), "s=1; a0=1; a1=1"); /* x had expired */
    set_many("http://y.x.a.test/", "c", 9, "; domain=a.test");
    ck_assert_str_eq(get_at(AS, NOW), "s=1; c7=1; c8=1");
    ck_assert_str_eq(get_at("http://b.test/", NOW), "b=1");
    set_many("http://c.test/", "c", 3, "");
    IS(number(), 5);
    ck_assert_str_eq(get_at(AS, NOW),
                     "c8=1"); /* the oldest went: s was used before c8 */
    cg_http_jar_free(jar);
    jar = cg_http_jar_new();
    set_many(A, "a", 1000, "; path=/");
    IS(number(), CG_HTTP_JAR_PER_SITE);
    large[CG_HTTP_JAR_SENT / 2 - 8] = '\0';
    OK(set_at(A, large, NOW, &words));
    ck_assert_uint_le(strlen(get_at(A, NOW)), CG_HTTP_JAR_SENT);
    cg_http_jar_free(jar);
    jar = cg_http_jar_new(.bytes = 10000);
    set_many(A, "a", 100, "; path=/");
    ck_assert_uint_le(jar->bytes, 10000);
    ck_assert_uint_gt(number(), 20);
    cg_http_jar_free(jar);
    jar = cg_http_jar_new(.bytes = 1);
    set_many(A, "a", 2, "");
    IS(number(), 0);
    cg_http_jar_free(jar);
}
END_TEST

static char folder[] = "/tmp/cogen-jar-XXXXXX", path[64];

static void write_file(const char *text)
{
    test_put_file(folder, "jar", text);
}

/* A line of a file is a cookie, a comment, or skipped and named. */
static void reads_lines(void)
{
    static const struct {
        const char *line;
        int cookies;
        bool wrong;
    } lines[] = {
        {"a.test\tFALSE\t/\tFALSE\t0\ta\t1", 1, false},
        {"a.test\tFALSE\t/\tFALSE\t0\ta\t1\r", 1, false},
        {".a.test\tTRUE\t/\tTRUE\t32503680000\ta\t", 1, false},
        {"A.test\ttrue\t/x\tfalse\t99999999999999999999999\ta", 1, false},
        {"#HttpOnly_a.test\tFALSE\t/\tFALSE\t0\ta\t1", 1, false},
        {"::1\tFALSE\t/\tFALSE\t0\t\t1", 1, false},
        {"a.test\tFALSE\t/\tFALSE\t1\tgone\t1", 1, false},
        {"# a.test\tFALSE\t/\tFALSE\t0\ta\t1", 0, false},
        {"", 0, false},
        {"\r", 0, false},
        {"a.test", 0, true},
        {" ", 0, true},
        {"\t\t\t\t\t\t", 0, true},
        {"\tFALSE\t/\tFALSE\t0\ta\t1", 0, true},
        {"..a\tFALSE\t/\tFALSE\t0\ta\t1", 0, true},
        {"a b\tFALSE\t/\tFALSE\t0\ta\t1", 0, true},
        {"a.test\tMAYBE\t/\tFALSE\t0\ta\t1", 0, true},
        {"a.test\tFALSE\tx\tFALSE\t0\ta\t1", 0, true},
        {"a.test\tFALSE\t\tFALSE\t0\ta\t1", 0, true},
        {"a.test\tFALSE\t/\t\t0\ta\t1", 0, true},
        {"a.test\tFALSE\t/\tFALSE\t-1\ta\t1", 0, true},
        {"a.test\tFALSE\t/\tFALSE\t1x\ta\t1", 0, true},
        {"a.test\tFALSE\t/\tFALSE\t\ta\t1", 0, true},
        {"a.test\tFALSE\t/\tFALSE\t0\ta=b\t1", 0, true},
        {"a.test\tFALSE\t/\tFALSE\t0\ta\t1;2", 0, true},
        {"a.test\tFALSE\t/\tFALSE\t0\t\t", 0, true},
        {"a.test\tFALSE\t/\tFALSE\t0\ta\t1\t2", 0, true},
        {"a.test\tFALSE\t/\tFALSE\t0\ta\t\x01", 0, true},
        {"a.test\tFALSE\t/\tFALSE\t0\t__Secure-a\t1", 0, true},
        {"a.test\tFALSE\t/\tTRUE\t0\t\t__Secure-a=1", 0, true},
        {"a.test\tFALSE\t/\tFALSE\t0\ta\t\x9f", 1, false},
        {"a.test\tTRUE\t/\tTRUE\t0\t__Host-a\t1", 0, true},
        {"GET / HTTP/1.1", 0, true},
    };

    for (size_t i = 0; i < COUNT(lines); i++) {
        char text[256];
        unsigned wrong = 7;
        ssize_t n;

        jar = cg_http_jar_new();
        snprintf(text, sizeof text, "# one\n%s%s", lines[i].line, i % 2 ? "\n" : "");
        write_file(text);
        n = cg_http_jar_load(jar, path, &wrong);
        MUST(n == lines[i].cookies && wrong == (lines[i].wrong ? 2 : 0), "%s: %zd, %u",
             lines[i].line, n, wrong);
        cg_http_jar_free(jar);
    }
}

/* Every prefix of a file, and every byte of it replaced, is read or skipped. */
static void reads_broken_files(void)
{
    static const char text[] =
        "#HttpOnly_.a.test\tTRUE\t/\tTRUE\t32503680000\tname\tvalue\n"
        "b.test\tFALSE\t/x\tFALSE\t0\tn\tv\n";
    static const char bytes[] = "\t\n\x80#;= ";
    char copy[sizeof text];

    for (size_t i = 0; i < sizeof text - 1; i++)
        for (size_t with = 0; with < sizeof bytes; with++) {
            jar = cg_http_jar_new();
            memcpy(copy, text, sizeof text);
            copy[i] = bytes[with]; /* at last a NUL, which ends the file here */
            write_file(copy);
            MUST(cg_http_jar_load(jar, path, NULL) >= 0, "byte %zu", i);
            MUST(number() <= 2, "byte %zu", i);
            cg_http_jar_free(jar);
        }
}

/* What was saved is loaded again, with each attribute but SameSite. A file that cannot be
 * written is named by its error, and the old one stays. */
static void saves(void)
{
    static char long_line[20000];
    const char *words;
    struct cg_http_jar *first;
    char other[80], link[16];
    unsigned wrong;

    snprintf(other, sizeof other, "%s/link", folder);
    jar = first = cg_http_jar_new();
    OK(set_at(AS, "a=1; Secure; HttpOnly; Domain=a.test; max-age=1000000", time(NULL),
              &words));
    OK(set_at("http://b.test/x/", "b=2 3", NOW, &words));
    OK(set_at("http://b.test/x/", "only", NOW, &words));
    OK(cg_http_jar_save(jar, path));
    jar = cg_http_jar_new();
    IS(cg_http_jar_load(jar, path, &wrong), 3);
    IS(wrong, 0);
    for (const struct cg__jar_cookie *a = first->oldest, *b = jar->oldest; a || b;
         a = a->newer, b = b->newer) {
        ck_assert_str_eq(a->is.name, b->is.name);
        ck_assert_str_eq(a->is.value, b->is.value);
        ck_assert_str_eq(a->is.domain, b->is.domain);
        ck_assert_str_eq(a->is.path, b->is.path);
        IS(a->is.expires, b->is.expires);
        ck_assert(a->is.secure == b->is.secure && a->is.http_only == b->is.http_only &&
                  a->is.host_only == b->is.host_only);
    }
    IS(cg_http_jar_save(jar, "/nonexistent/jar"), -ENOENT);
    OK(symlink("/dev/null", other)); /* what a link leads to is written */
    OK(cg_http_jar_save(jar, other));
    IS(readlink(other, link, sizeof link), 9);
    OK(unlink(other));
    IS(cg_http_jar_save(jar, "/dev/full"), -ENOSPC);
    IS(cg_http_jar_load(jar, "/nonexistent/jar", &wrong), -ENOENT);
    IS(cg_http_jar_load(jar, folder, NULL), -EISDIR);
    IS(cg_http_jar_load(jar, "/dev/zero", NULL), -EFBIG);
    memset(long_line, 'x', sizeof long_line - 1);
    write_file(long_line);
    IS(cg_http_jar_load(jar, path, &wrong), 0);
    IS(wrong, 1);
    cg_http_jar_free(jar);
    cg_http_jar_free(first);
    cg_http_jar_free(NULL);
}

/* A file has the order of creation, not that of the last use. */
static void keeps_the_order(void)
{
    const char *words;
    struct cg_http_jar *first = cg_http_jar_new();

    jar = first;
    OK(set_at(A, "b=1; path=/x; max-age=1000000", time(NULL), &words));
    OK(set_at(A, "a=2; path=/y; max-age=1000000", time(NULL), &words));
    OK(set_at(A, "c=3; path=/x; max-age=1000000", time(NULL), &words));
    ck_assert_str_eq(get_at("http://a.test/x", time(NULL)), "b=1; c=3");
    OK(set_at(A, "b=4; path=/x; max-age=1000000", time(NULL), &words));
    OK(cg_http_jar_save(jar, path));
    jar = cg_http_jar_new();
    IS(cg_http_jar_load(jar, path, NULL), 3);
    ck_assert_str_eq(get_at("http://a.test/x", time(NULL)), "b=4; c=3");
    cg_http_jar_free(jar);
    cg_http_jar_free(first);
}

START_TEST(uses_files)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/jar", folder);
    reads_lines();
    reads_broken_files();
    saves();
    keeps_the_order();
    unlink(path);
    rmdir(folder);
}
END_TEST

/* Neither a prefix of a field nor a byte of it that is replaced confuses the parser. */
START_TEST(survives_broken_fields)
{
    static const char text[] =
        "n=v; Domain=.a.test; Path=/; Max-Age=9; Expires=Thu, 01 Jan "
        "2100 00:00:00 GMT; Secure; HttpOnly; SameSite=None";
    static const char bytes[] = ";=, \t\x80-9\x01";
    char copy[sizeof text];
    const char *words;

    jar = cg_http_jar_new();
    for (size_t i = 0; i < sizeof text - 1; i++)
        for (size_t with = 0; with < sizeof bytes; with++) {
            int rc;

            memcpy(copy, text, sizeof text);
            copy[i] = bytes[with];
            rc = set_at(AS, copy, NOW, &words);
            MUST(rc == 0 || (rc == -EINVAL && words != NULL), "byte %zu: %d", i, rc);
        }
    cg_http_jar_free(jar);
}
END_TEST

/* The interface with URLs as texts. */
START_TEST(takes_urls)
{
    char buf[8];

    jar = cg_http_jar_new();
    IS(cg_http_jar_set(jar, "ftp://a/", "a=1", NULL), CG_EHTTP_URL);
    IS(cg_http_jar_set(jar, A, "", NULL), -EINVAL);
    OK(cg_http_jar_set(jar, A, "a=12345", NULL));
    IS(cg_http_jar_get(jar, A, buf, sizeof buf), 7);
    ck_assert_str_eq(buf, "a=12345");
    IS(cg_http_jar_get(jar, A, buf, 7), -EMSGSIZE);
    IS(cg_http_jar_get(jar, "http://b.test", buf, 1), 0);
    IS(cg_http_jar_get(jar, "b test", buf, 1), CG_EHTTP_URL);
    cg_http_jar_free(jar);
}
END_TEST

/* A jar that is printed for a reader who has gone ends no program. */
START_TEST(survives_its_reader)
{
    int fds[2];
    FILE *file;

    IS(pipe(fds), 0);
    close(fds[0]);
    file = fdopen(fds[1], "w");
    ck_assert_ptr_nonnull(file);
    setbuf(file, NULL);
    ck_assert(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    jar = cg_http_jar_new();
    cg_http_jar_print(jar, file);
    ck_assert(ferror(file));
    fclose(file);
    cg_http_jar_free(jar);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_jar");
    TCase *tcase = tcase_create("http_jar");

    tcase_add_test(tcase, reads_dates);
    tcase_add_test(tcase, takes_apart);
    tcase_add_test(tcase, matches_domains);
    tcase_add_test(tcase, matches_paths);
    tcase_add_test(tcase, keeps_secrets);
    tcase_add_test(tcase, expires);
    tcase_add_test(tcase, has_limits);
    tcase_add_test(tcase, uses_files);
    tcase_add_test(tcase, survives_broken_fields);
    tcase_add_test(tcase, survives_its_reader);
    tcase_add_test(tcase, takes_urls);
    suite_add_tcase(suite, tcase);
    return check_main(suite, NULL);
}
