/* SPDX-License-Identifier: MIT */
/* Redirects of the HTTP client: which it follows, and which fields it does not send on. */
#include "config.h"

#include "tests/http/http_ask.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* References are resolved and followed. The reply has the last URL, and the connection is
 * kept. */
static ssize_t follows(void *arg)
{
    (void)arg;
    script_start(&server, TURNS(SAYS(MOVED(301, "b/./c")), SAYS(MOVED(302, "?x#y")),
                                SAYS(MOVED(303, "/z z")), SAYS(OK_200(2, "ok")),
                                SAYS(MOVED(308, "/")),
                                SAYS("HTTP/1.1 302 Oh\r\nContent-Length: 0\r\n\r\n")));
    client = CLIENT();
    IS(GET("/a/b"), 200);
    ck_assert_str_eq(cg_http_reply_url(reply), script_url(&server, "/z%20z"));
    has_body("ok");
    heard("GET /a/b/c HTTP/1.1");
    heard("GET /a/b/c?x HTTP/1.1");
    heard("GET /z%20z HTTP/1.1");
    IS(FETCH(.url = server.url, .stay = true), 308);
    ck_assert_str_eq(cg_http_reply_header(reply, "Location"), "/");
    has_body("move");
    IS(GET("/"), 302);
    has_body("");
    IS(server.connections, 1);
    done();
    return 0;
}

/* Methods: POST becomes GET after 301 and 302, every method after 303. After 307 and 308
 * the body is sent again. */
static ssize_t changes_methods(void *arg)
{
    static const struct {
        const char *says, *method, *first, *then;
        size_t again;
    } cases[] = {
        {MOVED(301, "/n"), NULL, "POST / ", "GET /n ", 0},
        {MOVED(302, "/n"), NULL, "POST / ", "GET /n ", 0},
        {MOVED(302, "/n"), "PUT", "PUT / ", "PUT /n ", 5},
        {MOVED(303, "/n"), "PUT", "PUT / ", "GET /n ", 0},
        {MOVED(307, "/n"), NULL, "POST / ", "POST /n ", 5},
        {MOVED(308, "/n"), "PATCH", "PATCH / ", "PATCH /n ", 5},
    };

    (void)arg;
    for (size_t i = 0; i < COUNT(cases); i++) {
        script_start(&server, TURNS(SAYS(cases[i].says, .body = 5),
                                    SAYS(OK_200(2, "ok"), .body = cases[i].again)));
        client = CLIENT();
        IS(FETCH(.url = server.url, .method = cases[i].method, .body = "hello",
                 .len = 5, .fields = FIELDS({"Content-Type", "text/x"}, {"X-Y", "z"})),
           200);
        has_body("ok");
        heard(cases[i].first);
        heard(cases[i].then);
        IS(count(server.seen, "hello"), cases[i].again ? 2 : 1);
        IS(count(server.seen, "Content-Type"), cases[i].again ? 2 : 1);
        IS(count(server.seen, "X-Y"), 2);
        done();
    }
    return 0;
}

/* If a source cannot rewind, the redirect is returned to the caller. */
static ssize_t rewinds(void *arg)
{
    int left = 2;
    struct cg_http_source source = {.read = some_read, .arg = &left, .len = 6};

    (void)arg;
    script_start(&server, TURNS(SAYS(MOVED(307, "/n"), .body = 6),
                                SAYS(MOVED(307, "/n"), .body = 6),
                                SAYS(OK_200(2, "ok"), .body = 6)));
    client = CLIENT();
    IS(FETCH(.url = server.url, .source = &source), 307);
    has_body("move");
    source.rewind = some_rewind;
    left = 2;
    IS(FETCH(.url = server.url, .source = &source), 200);
    has_body("ok");
    done();
    return 0;
}

/* Credentials and cookies are sent to one host and port only, not to another. */
static ssize_t keeps_secrets(void *arg)
{
    char moved[256];

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(2, "ok")), SAYS(MOVED(302, "/back")),
                                SAYS(OK_200(2, "ok"))));
    snprintf(moved, sizeof moved, MOVED(302, "http://evil:pw@%s/"), server.addr);
    script_start(&other,
                 TURNS(SAYS(moved), SAYS(OK_200(2, "ok")), SAYS(OK_200(2, "ok"))));
    client = CLIENT();
    IS(FETCH(.url = other.url, .basic = "me:secret",
             .fields = FIELDS({"Cookie", "a=b"}, {"X-Y", "z"})),
       200);
    has_body("ok");
    ck_assert_ptr_nonnull(strstr(other.seen, "Authorization: Basic bWU6c2VjcmV0\r\n"));
    ck_assert_ptr_nonnull(strstr(other.seen, "Cookie: a=b\r\n"));
    not_heard("Authorization");
    not_heard("Cookie");
    heard("X-Y: z");
    IS(FETCH(.url = server.url, .bearer = "tok", .fields = FIELDS({"Cookie", "a=b"})),
       200);
    has_body("ok");
    IS(count(server.seen, "Authorization: Bearer tok\r\n"), 2);
    IS(count(server.seen, "Cookie: a=b\r\n"), 2);
    snprintf(moved, sizeof moved, "http://you:p%%40ss@%s/", other.addr);
    IS(cg_yield(cg_http_get(client, moved, &reply)), 200);
    ck_assert_ptr_null(strstr(cg_http_reply_url(reply), "you"));
    has_body("ok");
    ck_assert_ptr_nonnull(strstr(other.seen, "Authorization: Basic eW91OnBAc3M=\r\n"));
    snprintf(moved, sizeof moved, "http://you@%s/", other.addr);
    IS(cg_yield(cg_http_get(client, moved, &reply)), 200);
    has_body("ok");
    ck_assert_ptr_nonnull(strstr(other.seen, "Authorization: Basic eW91Og==\r\n"));
    done();
    script_end(&other);
    return 0;
}

/* Nor is it told whom the request serves. */
static ssize_t keeps_its_client(void *arg)
{
    static const struct cg_http_proxied proxied = {"192.0.2.1:5", "192.0.2.2:80", 1};
    char moved[256];

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(2, "ok"))));
    snprintf(moved, sizeof moved, MOVED(302, "%s/"), server.url);
    script_start(&other, TURNS(SAYS(MOVED(302, "/again")), SAYS(moved)));
    client = CLIENT();
    IS(FETCH(.url = other.url, .proxied = &proxied), 200);
    has_body("ok");
    IS(count(other.seen, "PROXY TCP4 192.0.2.1 192.0.2.2 5 80\r\n"), 1);
    IS(other.connections, 1);
    not_heard("PROXY");
    done();
    script_end(&other);
    return 0;
}

/* The body of a redirect is not waited for. */
static ssize_t hurries_on(void *arg)
{
    int64_t begun = cg_sched_now(cg_sched_self());
    char moved[256];

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(2, "ok"))));
    snprintf(moved, sizeof moved,
             "HTTP/1.1 302 Moved\r\nLocation: %s/\r\nContent-Length: 4\r\n\r\n", server.url);
    script_start(&other, TURNS(SAYS(moved)));
    client = CLIENT();
    IS(cg_yield(cg_http_get(client, other.url, &reply)), 200);
    has_body("ok");
    ck_assert_int_lt(cg_sched_now(cg_sched_self()) - begun, 5 * CG_SECOND);
    done();
    script_end(&other);
    return 0;
}

/* Some redirects are not followed. */
static ssize_t refuses_redirects(void *arg)
{
    (void)arg;
    script_start(&server,
                 TURNS(SAYS(MOVED(302, "/"), .again = 0), SAYS(MOVED(302, "/")),
                       SAYS(MOVED(302, "/")),
                       SAYS(MOVED(302, "ftp://x/"), .fresh = true),
                       SAYS(MOVED(302, "http://"), .fresh = true),
                       SAYS(MOVED(302, "https://127.0.0.1:1/"), .fresh = true)));
    client = CLIENT();
    IS(FETCH(.url = server.url, .redirects = 2), CG_EHTTP_REDIRECT);
    ck_assert_str_eq(why, "more than 2 redirects");
    IS(GET("/"), CG_EHTTP_REDIRECT);
    ck_assert_str_eq(why,
                     "redirected to ftp://x/: its scheme is neither http nor https");
    IS(GET("/"), CG_EHTTP_REDIRECT);
    IS(GET("/"), CG_EHTTP_TLS);
    done();
    return 0;
}

static const struct test_case cases[] = {
    CORO(follows),
    CORO(changes_methods),
    CORO(rewinds),
    CORO(keeps_secrets),
    CORO(keeps_its_client),
    CORO(hurries_on, .where = ON_SIM),
    CORO(refuses_redirects),
};

int main(void)
{
    return test_main("http client redirects", cases, COUNT(cases));
}
