/* SPDX-License-Identifier: MIT */
/* Cookies of the HTTP server. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <cogen/http_cookie.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Responds with the cookie "a". */
static ssize_t tells(struct cg_http_request *req, void *arg)
{
    char value[8], text[64];
    ssize_t n = cg_http_request_cookie(req, "a", value, sizeof value);

    (void)arg;
    snprintf(text, sizeof text, "%zd %s", n, n < 0 ? "-" : value);
    return cg_yield(cg_http_send_text(req, 200, text));
}

static const char *cookie(const char *fields)
{
    char text[512];

    snprintf(text, sizeof text, "GET /tells" V CLOSE "%s\r\n", fields);
    return BODY(text);
}

/* A cookie is found by its whole name, in one of several fields. */
static ssize_t gets(void *arg)
{
#define NONE "-2 -"
    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/tells", tells, NULL));
    ck_assert_str_eq(cookie(""), NONE);
    ck_assert_str_eq(cookie("Cookie: a=1\r\n"), "1 1");
    ck_assert_str_eq(cookie("Cookie: b=a; aa=2;a=3 ; a=4\r\n"), "1 3");
    ck_assert_str_eq(cookie("Cookie: b=1\r\ncookie: a=x=y\r\n"), "3 x=y");
    ck_assert_str_eq(cookie("Cookie: a=\r\n"), "0 ");
    ck_assert_str_eq(cookie("Cookie: a\r\n"), NONE);
    ck_assert_str_eq(cookie("Cookie: a;b=1\r\n"), NONE);
    ck_assert_str_eq(cookie("Cookie: ;;; =a; A=1; a =2\r\n"), NONE);
    ck_assert_str_eq(cookie("Cookie: a=\"1 2\"\r\n"), "3 1 2");
    ck_assert_str_eq(cookie("Cookie: a=\"\r\n"), "1 \"");
    ck_assert_str_eq(cookie("Cookie: a=1234567\r\n"), "7 1234567");
    ck_assert_str_eq(cookie("Cookie: a=12345678\r\n"), "-90 -");
    serve_end();
    return 0;
}

/* Sets cookies; what is not allowed is refused, and sets nothing. */
static ssize_t sets(struct cg_http_request *req, void *arg)
{
    static char large[CG_HTTP_COOKIE_LIMIT + 1];

    (void)arg;
    memset(large, 'x', sizeof large - 1);
    OK(cg_http_response_set_cookie(req, "a", "1"));
    OK(cg_http_response_set_cookie(req, "b", "", .path = "/x", .domain = "a.test",
                                   .max_age = 90 * CG_MINUTE, .expires = 784111777,
                                   .secure = true, .scripts = true, .partitioned = true,
                                   .same_site = CG_HTTP_SAME_SITE_NONE));
    OK(cg_http_response_set_cookie(req, "c", "3", .same_site = CG_HTTP_SAME_SITE_STRICT,
                                   .max_age = 1));
    OK(cg_http_response_set_cookie(req, "__Host-d", "4", .secure = true));
    OK(cg_http_response_remove_cookie(req, "e", .path = "/x"));
    OK(cg_http_response_remove_cookie(req, "__Secure-f"));
#define WRONG(...) IS(cg_http_response_set_cookie(req, __VA_ARGS__), -EINVAL)
    WRONG("", "1");
    WRONG("a b", "1");
    WRONG("a=b", "1");
    WRONG("a", "1;2");
    WRONG("a", "1 2");
    WRONG("a", "1,2");
    WRONG("a", "\"1\"");
    WRONG("a", "1\r\nX: y");
    WRONG("a", "\xc3\xa4");
    WRONG("a", "1", .path = "x");
    WRONG("a", "1", .path = "/;x");
    WRONG("a", "1", .path = "");
    WRONG("a", "1", .domain = "");
    WRONG("a", "1", .domain = "a.test; Secure");
    WRONG("a", "1", .domain = ".a.test");
    WRONG("a", "1", .max_age = -1);
    WRONG("a", "1", .same_site = 3);
    WRONG("a", "1", .same_site = CG_HTTP_SAME_SITE_NONE);
    WRONG("a", "1", .partitioned = true);
    WRONG("__Secure-a", "1");
    WRONG("__secure-a", "1");
    WRONG("__Host-a", "1");
    WRONG("__Host-a", "1", .secure = true, .path = "/x");
    WRONG("__Host-a", "1", .secure = true, .domain = "a.test");
    WRONG("__Http-a", "1", .secure = true, .scripts = true);
    WRONG("__Host-Http-a", "1", .secure = true, .scripts = true);
    IS(cg_http_response_set_cookie(req, "a", large), -EMSGSIZE);
    large[CG_HTTP_COOKIE_LIMIT - 1] = '\0';
    OK(cg_http_response_set_cookie(req, "l", large));
    OK(cg_yield(cg_http_send_text(req, 200, "set")));
    IS(cg_http_response_set_cookie(req, "a", "1"), -EALREADY);
    return 0;
}

static ssize_t sets_them(void *arg)
{
    char *end;

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/sets", sets, NULL));
    ask("GET /sets" V CLOSE "\r\n");
    end = strstr(got, "Set-Cookie: l=");
    ck_assert_ptr_nonnull(end);
    *end = '\0';
    ck_assert_str_eq(strstr(got, "Set-Cookie"),
                     "Set-Cookie: a=1; Path=/; HttpOnly; SameSite=Lax\r\n"
                     "Set-Cookie: b=; Path=/x; Domain=a.test; Max-Age=5400; "
                     "Expires=Sun, 06 Nov 1994 08:49:37 GMT; Secure; SameSite=None; "
                     "Partitioned\r\n"
                     "Set-Cookie: c=3; Path=/; Max-Age=1; HttpOnly; SameSite=Strict\r\n"
                     "Set-Cookie: __Host-d=4; Path=/; Secure; HttpOnly; SameSite=Lax\r\n"
                     "Set-Cookie: e=; Path=/x; Max-Age=0; "
                     "Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax\r\n"
                     "Set-Cookie: __Secure-f=; Path=/; Max-Age=0; "
                     "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; HttpOnly; "
                     "SameSite=Lax\r\n");
    serve_end();
    return 0;
}

static const struct test_case cases[] = {CORO(gets), CORO(sets_them)};

int main(void)
{
    return both_main("http cookie", cases, COUNT(cases), NULL, 0);
}
