/* SPDX-License-Identifier: MIT */
/* The HTTP client with a cookie jar. */
#include "config.h"

#include "tests/http/http_ask.h"

#include <cogen/http_jar.h>
#include <stdio.h>
#include <string.h>

#define COOKIE_200(fields) HEAD_200 fields "Content-Length: 0\r\n\r\n"

/* A client sends the jar's cookies, also those of a redirect on the way, but to no other
 * host. The caller's own come first. A proxy's request has none. */
static ssize_t uses_a_jar(void *arg)
{
    char moved[256];

    struct cg_http_jar *jar = cg_http_jar_new();

    (void)arg;
    script_start(&other, TURNS(SAYS(COOKIE_200("Set-Cookie: bad; Domain=com\r\n"))));
    snprintf(moved, sizeof moved,
             "HTTP/1.1 302 Moved\r\nSet-Cookie: a=1\r\nset-cookie: b=2; Path=/x\r\n"
             "Location: http://localhost:%s/\r\nContent-Length: 0\r\n\r\n",
             strrchr(other.addr, ':') + 1);
    script_start(&server,
                 TURNS(SAYS("HTTP/1.1 302 Moved\r\nSet-Cookie: r=1; Max-Age=60\r\n"
                            "Location: /y\r\nContent-Length: 0\r\n\r\n"),
                       SAYS(moved), SAYS(OK_200(0, "")), SAYS(OK_200(0, "")),
                       SAYS(OK_200(0, "")), SAYS(OK_200(0, "")), SAYS(OK_200(0, "")),
                       SAYS(OK_200(0, ""))));
    client = CLIENT(.jar = jar);
    IS(GET("/"), 200);
    has_body("");
    ck_assert_ptr_null(strstr(script_last(&other), "Cookie"));
    ck_assert_ptr_nonnull(strstr(script_last(&server), "\r\nCookie: r=1\r\n"));
    IS(GET("/x"), 200);
    has_body("");
    ck_assert_ptr_nonnull(
        strstr(script_last(&server), "\r\nCookie: b=2; r=1; a=1\r\n"));
    IS(FETCH(.url = server.url, .fields = FIELDS({"cookie", "own=1"})), 200);
    has_body("");
    ck_assert_ptr_nonnull(
        strstr(script_last(&server), "\r\nCookie: own=1; r=1; a=1\r\n"));
    IS(FETCH(.url = server.url, .fields = FIELDS({"Cookie", "own=1"}), .bare = true),
       200);
    has_body("");
    ck_assert_ptr_nonnull(strstr(script_last(&server), "\r\nCookie: own=1\r\n"));
    IS(FETCH(.url = server.url, .fields = FIELDS({"Cookie", "b=1"}, {"X", "y"}, {"cookie", "c=2"})),
       200);
    has_body("");
    ck_assert_ptr_nonnull(
        strstr(script_last(&server), "\r\nCookie: b=1; c=2; r=1; a=1\r\nX: y\r\n"));
    ck_assert_ptr_null(strstr(script_last(&server), "cookie:"));
    IS(FETCH(.url = server.url, .fields = FIELDS({"Cookie", "b=1"}, {"Cookie", "c=2"}),
             .bare = true),
       200);
    has_body("");
    ck_assert_ptr_nonnull(strstr(script_last(&server), "\r\nCookie: b=1; c=2\r\n"));
    if (test_on_sim()) { /* the jar's clock is the world's */
        cg_yield(cg_sleep(61 * CG_SECOND));
        IS(GET("/"), 200);
        ck_assert_ptr_nonnull(strstr(script_last(&server), "\r\nCookie: a=1\r\n"));
    } else {
        IS(GET("/"), 200);
    }
    has_body("");
    done();
    script_end(&other);
    cg_http_jar_free(jar);
    return 0;
}

static const struct test_case cases[] = {
    CORO(uses_a_jar),
};

int main(void)
{
    return test_main("http client cookies", cases, COUNT(cases));
}
