/* SPDX-License-Identifier: MIT */
/* What the HTTP client computes without I/O: URLs, references, exceptions from proxies, and
 * compressed bodies. */
#include "config.h"

#include "http/client/fields.h"
#include "http/coding/decoder.h"
#include "http/message/percent.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cg__url url;
static const char *why;

static void parsed(const char *text, const char *want, const char *addr,
                   const char *target)
{
    test_is(cg__http_url_parse(&url, text, &why), 0, text, __FILE__, __LINE__);
    ck_assert_str_eq(url.text, want);
    ck_assert_str_eq(url.addr, addr);
    ck_assert_str_eq(url.target, target);
    cg__http_url_free(&url);
}

/* The pieces of a URL are stored as written, except: the host is in lower case, user and
 * fragment are removed, and the default port is left out. */
START_TEST(urls)
{
    parsed("http://example.org", "http://example.org/", "example.org:80", "/");
    parsed("HTTP://Example.ORG:80/A%2f%7e?q=1&R#frag",
           "http://example.org/A%2f%7e?q=1&R", "example.org:80", "/A%2f%7e?q=1&R");
    parsed("https://h/", "https://h/", "h:443", "/");
    parsed("https://h:80?x", "https://h:80/?x", "h:80", "/?x");
    parsed("http://[::1]:8080/..//x", "http://[::1]:8080/..//x", "[::1]:8080",
           "/..//x");
    parsed("http://[2001:DB8::1]", "http://[2001:db8::1]/", "[2001:db8::1]:80", "/");
    parsed("http://u:p%40@h:/x", "http://h/x", "h:80", "/x");
    parsed("http://h:65535", "http://h:65535/", "h:65535", "/");
    parsed("localhost:8080/x", "http://localhost:8080/x", "localhost:8080", "/x");
    parsed("example.org/http://x", "http://example.org/http://x", "example.org:80",
           "/http://x");
    parsed("[::1]?a/b", "http://[::1]/?a/b", "[::1]:80", "/?a/b");
    parsed("http://h/?", "http://h/?", "h:80", "/?");
}
END_TEST

/* The rest of a URL is parsed as if it stood behind the host. */
START_TEST(rests)
{
    static const char *const rests[] = {"", "/", "/a?b", "?a/b", "//x", "#f", "/a#f?g",
                                        "/?#", "?", "/a b", "/\xc3\xa9"};
    struct cg__url origin, whole;
    char text[100], *room = NULL;
    size_t size = 0;

    IS(cg__http_url_parse(&origin, "HTTPS://[::1]:0443", &why), 0);
    for (size_t i = 0; i < COUNT(rests); i++) {
        int rc;

        snprintf(text, sizeof text, "https://[::1]%s", rests[i]);
        rc = cg__http_url_parse(&whole, text, &why);
        IS(cg__http_url_parse_rest(&url, &origin, rests[i], &room, &size, &why), rc);
        if (rc == 0) {
            ck_assert_str_eq(url.text, whole.text);
            ck_assert_str_eq(url.target, whole.target);
            ck_assert_str_eq(url.hostport, whole.hostport);
            IS(url.no_path, whole.no_path);
            cg__http_url_free(&whole);
        }
    }
    free(room);
    cg__http_url_free(&origin);
}
END_TEST

/* User and password are decoded, once. */
START_TEST(users)
{
    IS(cg__http_url_parse(&url, "http://me%3a:p%40%2540s@h/", &why), 0);
    ck_assert_str_eq(url.user, "me::p@%40s");
    IS(url.name_len, 3);
    ck_assert_str_eq(url.host, "h");
    cg__http_url_free(&url);
    IS(cg__http_url_parse(&url, "http://a@b@h/", &why), 0);
    ck_assert_str_eq(url.user, "a@b");
    IS(url.name_len, 3);
    cg__http_url_free(&url);
}
END_TEST

/* An escape ends at the end of the text, whatever follows in memory. */
START_TEST(escapes)
{
    char text[8];

    IS(cg__http_percent_decode(text, "a%41b", 5, false, false), 3);
    ck_assert_mem_eq(text, "aAb", 3);
    IS(cg__http_percent_decode(text, "a%41b", 4, false, false), 2);
    IS(cg__http_percent_decode(text, "a%41b", 3, false, false), -1);
    IS(cg__http_percent_decode(text, "a%41b", 2, false, false), -1);
    IS(cg__http_percent_decode(text, "a%41b", 1, false, false), 1);
}
END_TEST

/* A host name has at most 255 characters. */
START_TEST(long_names)
{
    char text[] = "http://0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
                  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    IS(cg__http_url_parse(&url, text, &why), CG_EHTTP_URL);
    text[sizeof text - 2] = '\0';
    IS(cg__http_url_parse(&url, text, &why), 0);
    cg__http_url_free(&url);
}
END_TEST

/* Invalid URLs are refused with a message. */
START_TEST(refused)
{
    static const char *const texts[] = {
        "",
        "http://",
        "http:///x",
        "http://unix/",
        "http://UNIX:80/x",
        "http:x",
        "ftp://h/",
        "mailto:a@b",
        "file:///etc/passwd",
        "http://h:0/",
        "http://h:65536/",
        "http://h:8o/",
        "http://h:99999999999999999999/",
        "http://[::1/",
        "http://[::1]x/",
        "http://[localhost]/",
        "http://[]/",
        "http://[1]/",
        "http://h h/",
        "http://h/a b",
        "http://h/\r\nX: y",
        "http://h/\x7f",
        "http://h/\xc3\xa9",
        "http://h\\x/",
        "http://:80/",
        "http://u@/",
        "http://a_b%41/",
        "http://h\t/",
        "1http://h/",
        "://h/",
        "127.0.0.1://h/",
        "http://a%00:b@h/",
        "http://a:b%00c@h/",
    };
    char longer[CG__URL_LIMIT + 20] = "http://h/";

    for (size_t i = 0; i < COUNT(texts); i++) {
        why = NULL;
        test_is(cg__http_url_parse(&url, texts[i], &why), CG_EHTTP_URL, texts[i],
                __FILE__, __LINE__);
        ck_assert_ptr_nonnull(why);
    }
    memset(longer + 9, 'a', sizeof longer - 10);
    IS(cg__http_url_parse(&url, longer, &why), CG_EHTTP_URL);
    IS(cg__http_url_parse(&url, NULL, &why), CG_EHTTP_URL);
}
END_TEST

/* References are resolved as in the examples of RFC 3986, 5.4. */
START_TEST(references)
{
    static const char *const cases[][2] = {
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g/"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q"},
        {"g#s", "http://a/b/c/g"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"https://b:9/x", "https://b:9/x"},
        {"/a b\xc3\xa9", "http://a/a%20b%C3%A9"},
        {" /x ", "http://a/x"},
        {"/%41%2F", "http://a/%41%2F"},
        {"//b:81", "http://b:81/"},
        {"//b/x/../y", "http://b/y"},
        {"http://b/x/./../../y?/../", "http://b/y?/../"},
        {"https://b/..", "https://b/"},
    };
    struct cg__url base;

    IS(cg__http_url_parse(&base, "http://a/b/c/d;p?q", &why), 0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        test_is(cg__http_url_resolve(&url, &base, cases[i][0], &why), 0, cases[i][0],
                __FILE__, __LINE__);
        ck_assert_str_eq(url.text, cases[i][1]);
        cg__http_url_free(&url);
    }
    IS(cg__http_url_resolve(&url, &base, "javascript:alert(1)", &why), CG_EHTTP_URL);
    IS(cg__http_url_resolve(&url, &base, "http:g", &why), CG_EHTTP_URL);
    IS(cg__http_url_resolve(&url, &base, "/a\rb", &why), CG_EHTTP_URL);
    cg__http_url_free(&base);
    IS(cg__http_url_parse(&base, "http://a", &why), 0);
    IS(cg__http_url_resolve(&url, &base, "g", &why), 0);
    ck_assert_str_eq(url.text, "http://a/g");
    cg__http_url_free(&url);
    cg__http_url_free(&base);
}
END_TEST

/* An origin is scheme, host and port. */
START_TEST(origins)
{
    static const char *const others[] = {"https://a:80/", "http://a:81/", "http://b/"};
    struct cg__url base;

    IS(cg__http_url_parse(&base, "http://a/", &why), 0);
    for (size_t i = 0; i < COUNT(others); i++) {
        IS(cg__http_url_parse(&url, others[i], &why), 0);
        ck_assert(!cg__http_url_same_origin(&base, &url));
        cg__http_url_free(&url);
    }
    IS(cg__http_url_parse(&url, "http://A:80/x", &why), 0);
    ck_assert(cg__http_url_same_origin(&base, &url));
    cg__http_url_free(&url);
    cg__http_url_free(&base);
}
END_TEST

/* no_proxy names hosts, with all their subdomains, and optional ports. */
START_TEST(exceptions)
{
    static const struct {
        const char *list, *host;
        unsigned port;
        bool excepted;
    } cases[] = {
        {"*", "any", 80, true},
        {"example.org", "example.org", 80, true},
        {"example.org", "www.Example.org", 80, true},
        {"example.org", "badexample.org", 80, false},
        {"example.org", "org", 80, false},
        {".example.org", "www.example.org", 80, true},
        {".example.org", "example.org", 80, true},
        {"*.example.org", "a.example.org", 80, true},
        {"a, b ,c", "b", 80, true},
        {"a b", "b", 80, true},
        {"a:81", "a", 80, false},
        {"a:81", "a", 81, true},
        {"::1", "::1", 80, true},
        {"[::1]", "::1", 80, true},
        {"[::1]:81", "::1", 80, false},
        {"[::1]:81", "::1", 81, true},
        {"10.0.0.1", "10.0.0.1", 80, true},
        {"0.0.1", "10.0.0.1", 80, false},
        {"", "a", 80, false},
        {",, ,", "a", 80, false},
        {".", "a", 80, false},
        {"[::1", "::1", 80, false},
        {"10.0.0.0/8", "10.200.3.4", 80, true},
        {"10.0.0.0/8", "11.0.0.1", 80, false},
        {"10.0.0.0/8:81", "10.0.0.1", 81, true},
        {"10.0.0.0/8:81", "10.0.0.1", 80, false},
        {"10.1.2.3/8", "10.200.3.4", 80, true},
        {"192.168.4.0/22", "192.168.7.255", 80, true},
        {"192.168.4.0/22", "192.168.8.0", 80, false},
        {"10.0.0.1/32", "10.0.0.1", 80, true},
        {"10.0.0.1/32", "10.0.0.0", 80, false},
        {"0.0.0.0/0", "1.2.3.4", 80, true},
        {"0.0.0.0/0", "::1", 80, false},
        {"10.0.0.0/33", "10.0.0.0", 80, false},
        {"10.0.0.0/", "10.0.0.0", 80, false},
        {"10.0.0.0/8x", "10.0.0.0", 80, false},
        {"10.0.0.0/-1", "10.0.0.0", 80, false},
        {"10.0.0.0/8", "10.example.org", 80, false},
        {"x,fd00::/8", "fdab::1", 80, true},
        {"fd00::/8", "fe80::1", 80, false},
        {"[fd00::/8]:81", "fdab::1", 81, true},
        {"[fd00::/8]:81", "fdab::1", 80, false},
        {"::/0", "::1", 80, true},
        {"0:0:0:0:0:0:0:1", "::1", 80, true},
        {"10.0.0.0/8", "::ffff:10.0.0.1", 80, true},
        {"10.0.0.10", "10.0.0.1", 80, false},
        {"example.org.", "www.example.org", 80, true},
        {"example.org", "example.org.", 80, true},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        ck_assert_msg(cg__http_client_pool_proxy_excepts(cases[i].list, cases[i].host,
                                                         cases[i].port) == cases[i].excepted,
                      "%s, %s:%u", cases[i].list, cases[i].host, cases[i].port);
}
END_TEST

/* Which variables of the environment name proxies, and in which order. HTTP_PROXY is never
 * used. */
START_TEST(variables)
{
    static const struct {
        enum cg__proxy_text text;
        const char *set[2], *empty; /* set to their own names; set to "" */
        const char *found;
    } tries[] = {
        {CG__PROXY_HTTP, {"http_proxy", "all_proxy"}, NULL, "http_proxy"},
        {CG__PROXY_HTTP, {"all_proxy", "ALL_PROXY"}, NULL, "all_proxy"},
        {CG__PROXY_HTTP, {"ALL_PROXY", "HTTP_PROXY"}, "http_proxy", "ALL_PROXY"},
        {CG__PROXY_HTTP, {"HTTP_PROXY", "HTTPS_PROXY"}, NULL, NULL},
        {CG__PROXY_HTTPS, {"https_proxy", "HTTPS_PROXY"}, NULL, "https_proxy"},
        {CG__PROXY_HTTPS, {"HTTPS_PROXY", "all_proxy"}, "https_proxy", "HTTPS_PROXY"},
        {CG__PROXY_HTTPS, {"ALL_PROXY", "http_proxy"}, NULL, "ALL_PROXY"},
        {CG__PROXY_EXCEPT, {"no_proxy", "NO_PROXY"}, NULL, "no_proxy"},
        {CG__PROXY_EXCEPT, {"NO_PROXY", "all_proxy"}, NULL, "NO_PROXY"},
    };
    static const char *const all[] = {"http_proxy", "HTTP_PROXY", "https_proxy",
                                      "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                      "no_proxy", "NO_PROXY"};

    for (size_t i = 0; i < COUNT(tries); i++) {
        const char *got;

        for (size_t j = 0; j < COUNT(all); j++)
            unsetenv(all[j]);
        for (size_t j = 0; j < COUNT(tries[i].set); j++)
            setenv(tries[i].set[j], tries[i].set[j], 1);
        if (tries[i].empty != NULL)
            setenv(tries[i].empty, "", 1);
        got = cg__http_client_pool_proxy_variable(tries[i].text);
        if (tries[i].found == NULL)
            ck_assert_msg(got == NULL || *got == '\0', "%zu: %s", i, got);
        else
            ck_assert_str_eq(got, tries[i].found);
    }
}
END_TEST

/* Base64, with every length of the last group, and with a colon in any case. */
START_TEST(basic)
{
    static const char *const cases[][2] = {
        {"Aladdin:open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
        {"a:b", "Basic YTpi"},
        {"a:bc", "Basic YTpiYw=="},
        {"a:\xff\xfe", "Basic YTr//g=="},
        {"f", "Basic Zjo="},
        {"", "Basic Og=="},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = cg__http_client_fields_basic(cases[i][0]);

        ck_assert_str_eq(text, cases[i][1]);
        free(text);
    }
}
END_TEST

/* Decoding */

/* "hello, hello, hello", compressed by gzip. */
static const unsigned char gzipped[] = {0x1f, 0x8b, 0x08, 0,    0,    0,    0,    0,
                                        0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7,
                                        0x51, 0xc8, 0x40, 0xa2, 0x00, 0x9f, 0xa1, 0xca,
                                        0x09, 0x13, 0,    0,    0};
static const char plain[] = "hello, hello, hello";

/* Decodes the input in pieces, with all output in `out`. Returns 0 or an error code. */
static ssize_t decode(struct cg__decoder *decoder, const void *data, size_t size,
                      size_t piece, char *out, size_t room, size_t *made)
{
    const char *at = data;
    ssize_t n = 0;

    *made = 0;
    for (;;) {
        n = cg__http_decoder_read(decoder, out + *made,
                                  piece < room - *made ? piece : room - *made);
        if (n < 0 || (n == 0 && size == 0))
            return n;
        *made += (size_t)n;
        if (n == 0) {
            size_t some = size < piece ? size : piece;

            cg__http_decoder_give(decoder, at, some);
            at += some;
            size -= some;
        }
    }
}

/* However the bytes are cut, the text is the same. Members may follow each other, and bytes
 * after them are ignored. A truncated stream is not complete, and an invalid one is
 * refused. */
START_TEST(decodes_gzip)
{
    char twice[2 * sizeof gzipped + 4] = "", out[64];
    struct cg__decoder *decoder;
    size_t made;

    if (strstr(cg__http_decoder_accept(), "gzip") == NULL) {
        puts("SKIP decodes_gzip: built without zlib");
        return;
    }
    memcpy(twice, gzipped, sizeof gzipped);
    memcpy(twice + sizeof gzipped, gzipped, sizeof gzipped);
    for (size_t piece = 1; piece < 70; piece++) {
        IS(cg__http_decoder_new(&decoder, "x-gzip"), 0);
        ck_assert(cg__http_decoder_is_complete(decoder));
        IS(decode(decoder, gzipped, sizeof gzipped, piece, out, sizeof out, &made), 0);
        ck_assert_uint_eq(made, sizeof plain - 1);
        ck_assert_mem_eq(out, plain, made);
        ck_assert(cg__http_decoder_is_complete(decoder));
        cg__http_decoder_free(decoder);

        IS(cg__http_decoder_new(&decoder, " gzip"), -EOPNOTSUPP);
        IS(cg__http_decoder_new(&decoder, "GZIP "), 0);
        IS(decode(decoder, twice, sizeof twice, piece, out, sizeof out, &made), 0);
        ck_assert_uint_eq(made, 2 * (sizeof plain - 1));
        ck_assert(cg__http_decoder_is_complete(decoder));
        cg__http_decoder_free(decoder);

        IS(cg__http_decoder_new(&decoder, "gzip"), 0);
        IS(decode(decoder, gzipped, sizeof gzipped - 1, piece, out, sizeof out, &made),
           0);
        ck_assert(!cg__http_decoder_is_complete(decoder));
        cg__http_decoder_free(decoder);
    }
    twice[12] ^= 0x55;
    IS(cg__http_decoder_new(&decoder, "gzip"), 0);
    IS(decode(decoder, twice, sizeof twice, 64, out, sizeof out, &made),
       CG_EHTTP_CODING);
    IS(cg__http_decoder_read(decoder, out, sizeof out), CG_EHTTP_CODING);
    cg__http_decoder_free(decoder);
}
END_TEST

/* brotli reaches any ratio: a small body that decodes to endless text is refused. */
START_TEST(refuses_bombs)
{
    /* 16 MiB of zeros, compressed by libbrotlienc. */
    static const unsigned char bomb[] = {
        0xcb, 0xff, 0xff, 0x3f, 0x00, 0x24, 0x00, 0xe2, 0xb1, 0x40, 0x72, 0xef, 0xff,
        0xf2, 0xff, 0xff, 0x0f, 0x80, 0x04, 0x40, 0x1c, 0x16, 0x80, 0xee, 0xfd, 0x1f,
    };
    static char out[64 * 1024];
    unsigned char padded[1000] = {0};
    struct cg__decoder *decoder;
    ssize_t n = 0;
    uint64_t sum = 0;

    if (strstr(cg__http_decoder_accept(), "br") == NULL) {
        puts("SKIP refuses_bombs: built without brotli");
        return;
    }
    IS(cg__http_decoder_new(&decoder, "br"), 0);
    cg__http_decoder_give(decoder, bomb, sizeof bomb);
    while ((n = cg__http_decoder_read(decoder, out, sizeof out)) > 0)
        sum += (uint64_t)n;
    IS(n, CG_EHTTP_CODING);
    ck_assert_uint_gt(sum, CG__DECODE_FREE / 2);
    ck_assert_uint_lt(sum, 2 * CG__DECODE_FREE);
    cg__http_decoder_free(decoder);
    /* All input counts in the ratio. */
    memcpy(padded, bomb, sizeof bomb);
    IS(cg__http_decoder_new(&decoder, "br"), 0);
    cg__http_decoder_give(decoder, padded, sizeof padded);
    for (sum = 0; (n = cg__http_decoder_read(decoder, out, sizeof out)) > 0;)
        sum += (uint64_t)n;
    IS(n, CG_EHTTP_CODING);
    ck_assert_uint_gt(sum + sizeof out, CG__DECODE_RATIO * sizeof padded);
    ck_assert_uint_lt(sum, (CG__DECODE_RATIO + 1) * sizeof padded);
    cg__http_decoder_free(decoder);
}
END_TEST

/* An unknown coding and several codings are left to the caller. */
START_TEST(other_codings)
{
    struct cg__decoder *decoder;

    IS(cg__http_decoder_new(&decoder, "compress"), -EOPNOTSUPP);
    IS(cg__http_decoder_new(&decoder, "gzip, gzip"), -EOPNOTSUPP);
    IS(cg__http_decoder_new(&decoder, "gzip br"), -EOPNOTSUPP);
    IS(cg__http_decoder_new(&decoder, ""), -EOPNOTSUPP);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("url");
    TCase *tcase = tcase_create("url");

    tcase_add_test(tcase, urls);
    tcase_add_test(tcase, rests);
    tcase_add_test(tcase, users);
    tcase_add_test(tcase, escapes);
    tcase_add_test(tcase, long_names);
    tcase_add_test(tcase, refused);
    tcase_add_test(tcase, references);
    tcase_add_test(tcase, origins);
    tcase_add_test(tcase, exceptions);
    tcase_add_test(tcase, variables);
    tcase_add_test(tcase, basic);
    tcase_add_test(tcase, decodes_gzip);
    tcase_add_test(tcase, refuses_bombs);
    tcase_add_test(tcase, other_codings);
    suite_add_tcase(suite, tcase);
    return check_main(suite, NULL);
}
