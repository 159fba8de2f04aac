/* SPDX-License-Identifier: MIT */
/* What stands around handlers of the HTTP server: patterns with a host, and layers. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Mounts a handler that responds with `text`. */
static ssize_t says(struct cg_http_request *req, void *text)
{
    return cg_yield(cg_http_send_text(req, 200, text));
}

static void mount(const char *pattern, const char *text)
{
    OK(cg_http_server_mount(server, pattern, says, (void *)text));
}

static const char *body_for(const char *host, const char *path)
{
    char text[512];

    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: %s\r\n" CLOSE "\r\n", path, host);
    return BODY(text);
}

/* A request goes to the patterns of its host, then of the most specific "*.name", then to
 * those without a host; and of these only. */
static ssize_t hosts(void *arg)
{
    (void)arg;
    serve_begin(NULL);
    mount("a.test/x", "a");
    mount("GET b.test/x", "b");
    mount("*.test/x", "any");
    mount("*.deep.test/x", "deep");
    mount("[::1]/x", "six");
    mount("/x", "none");
    mount("/y", "y");
    mount("a.test/:id/z", "id");
    ck_assert_str_eq(body_for("a.test", "/x"), "a");
    ck_assert_str_eq(body_for("A.TEST.:8080", "/x"), "a");
    ck_assert_str_eq(body_for("b.test", "/x"), "b");
    ck_assert_str_eq(body_for("c.test", "/x"), "any");
    ck_assert_str_eq(body_for("x.c.test", "/x"), "any");
    ck_assert_str_eq(body_for("x.y.deep.test", "/x"), "deep");
    ck_assert_str_eq(body_for("deep.test", "/x"), "any");
    ck_assert_str_eq(body_for("test", "/x"), "none");
    ck_assert_str_eq(body_for("[::1]:80", "/x"), "six");
    ck_assert_str_eq(body_for("[::2]:80", "/x"), "none");
    ck_assert_str_eq(body_for("other", "/y"), "y");
    ck_assert_str_eq(body_for("a.test", "/y"), "404 Not Found\n");
    ck_assert_str_eq(body_for("a.test", "/1/z"), "id");
    if (!h2_text_on) /* nghttp2 refuses a host that is empty */
        ck_assert_str_eq(body_for("", "/x"), "none");
    ck_assert_str_eq(body_for("..", "/x"), "none");
    ck_assert_str_eq(body_for("*.test", "/x"), "any");
    ck_assert_str_eq(body_for("other", "http://a.test/x"), "a");
    IS(status_of("POST /x HTTP/1.1\r\nHost: b.test\r\n" CLOSE "\r\n"), 405);
    IS(status_of("OPTIONS * HTTP/1.1\r\nHost: a.test\r\n" CLOSE "\r\n"), 204);
    serve_end();
    return 0;
}

/* Hosts that no request can have are refused, and so is a pattern that is there already. */
static ssize_t wrong_hosts(void *arg)
{
    static const char *const wrong[] = {"a.test",  "a.test:80/", "a b/",   "*.*.test/", "a*.test/",
                                        "a.test*", "*a.test/",   "",        "GET "};
    char long_one[300];

    (void)arg;
    serve_begin(NULL);
    for (size_t i = 0; i < COUNT(wrong); i++)
        IS(cg_http_server_mount(server, wrong[i], hello, NULL), -EINVAL);
    memset(long_one, 'a', sizeof long_one);
    strcpy(long_one + 256, "/");
    IS(cg_http_server_mount(server, long_one, hello, NULL), -EINVAL);
    IS(cg_http_server_mount(server, long_one + 1, hello, NULL), 0);
    IS(cg_http_server_mount(server, "h.test/", NULL, NULL), -EINVAL);
    IS(cg_http_server_mount(server, "h.test/", hello, NULL), 0);
    IS(cg_http_server_mount(server, "H.test./", hello, NULL), -EEXIST);
    IS(cg_http_server_mount(server, "GET h.test/", hello, NULL), 0);
    serve_end();
    return 0;
}

/* Layers. Each notes when it is entered and left. */

static char notes[256];

static void note(const char *text)
{
    strncat(notes, text, sizeof notes - strlen(notes) - 1);
}

static ssize_t around(struct cg_http_request *req, const struct cg_http_layer *next, void *name)
{
    char text[32];
    ssize_t n;

    snprintf(text, sizeof text, "%s(", (char *)name);
    note(text);
    IS(cg_http_response_status(req), 0);
    n = cg_http_layer_run(next, req);
    snprintf(text, sizeof text, "%d)", cg_http_response_status(req));
    note(text);
    return n;
}

/* Responds in the place of the handler. */
static ssize_t stops(struct cg_http_request *req, const struct cg_http_layer *next, void *arg)
{
    (void)next;
    note(arg);
    return cg_yield(cg_http_send_text(req, 403, "no\n"));
}

static ssize_t late(struct cg_http_request *req, const struct cg_http_layer *next, void *arg)
{
    ssize_t n = cg_http_layer_run(next, req);

    (void)arg;
    IS(n, -EIO);
    return cg_yield(cg_http_send_text(req, 502, "mended\n"));
}

static ssize_t breaks(struct cg_http_request *req, void *arg)
{
    (void)req;
    (void)arg;
    return -EIO;
}

/* Layers are called from the outside to the inside, also around the server's own
 * responses; each may respond itself, before or after the rest. */
static ssize_t layers(void *arg)
{
    static const struct cg_http_layer own[] = {{around, NULL, "c"}, {NULL, says, "own\n"}},
                                      closed[] = {{stops, NULL, "stop"}, {NULL, says, "never"}},
                                      mends[] = {{late, NULL, NULL}, {NULL, breaks, NULL}};

    (void)arg;
    serve_begin(NULL);
    IS(cg_http_server_add_layer(server, NULL, NULL), -EINVAL);
    OK(cg_http_server_add_layer(server, around, "a"));
    OK(cg_http_server_add_layer(server, around, "b"));
    OK(cg_http_server_mount(server, "/own", cg_http_layers_handler, (void *)own));
    OK(cg_http_server_mount(server, "/closed", cg_http_layers_handler, (void *)closed));
    OK(cg_http_server_mount(server, "/mends", cg_http_layers_handler, (void *)mends));
    notes[0] = '\0';
    ck_assert_str_eq(BODY("GET /own" V CLOSE "\r\n"), "own\n");
    ck_assert_str_eq(notes, "a(b(c(200)200)200)");
    notes[0] = '\0';
    ck_assert_str_eq(BODY("GET /closed" V CLOSE "\r\n"), "no\n");
    ck_assert_str_eq(notes, "a(b(stop403)403)");
    notes[0] = '\0';
    mount("h.test/only", "h");
    IS(status_of("GET /nowhere HTTP/1.1\r\nHost: h.test\r\n" CLOSE "\r\n"), 404);
    ck_assert_str_eq(notes, "a(b(404)404)");
    ck_assert_str_eq(BODY("GET /mends" V CLOSE "\r\n"), "mended\n");
    serve_end();
    return 0;
}

/* Parameters that layers set, before the path is routed and after, whose memory moves. */

static ssize_t sets(struct cg_http_request *req, const struct cg_http_layer *next, void *arg)
{
    static char big[3000];

    (void)arg;
    memset(big, 'x', sizeof big - 1);
    IS(cg_http_request_set_param(req, "a b", "c"), -EINVAL);
    IS(cg_http_request_set_param(req, "a", "b\n"), -EINVAL);
    OK(cg_http_request_set_param(req, "big", big));
    OK(cg_http_request_set_param(req, "user", "nobody"));
    OK(cg_http_request_set_param(req, "user", "ann"));
    return cg_http_layer_run(next, req);
}

static ssize_t tells_user(struct cg_http_request *req, void *arg)
{
    char text[200];
    const char *rest = cg_http_request_param(req, "*"), *id = cg_http_request_param(req, "id");

    (void)arg;
    snprintf(text, sizeof text, "%s %s %s %s", cg_http_request_param(req, "user"),
             cg_http_request_path(req), rest ? rest : "-", id ? id : "-");
    return cg_yield(cg_http_send_text(req, 200, text));
}

static ssize_t params(void *arg)
{
    static const struct cg_http_layer within[] = {{sets, NULL, NULL}, {NULL, tells_user, NULL}};

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_add_layer(server, sets, NULL));
    OK(cg_http_server_mount(server, "/rest/", tells_user, NULL));
    OK(cg_http_server_mount(server, "/of/:id", tells_user, NULL));
    OK(cg_http_server_mount(server, "/in/:id/", cg_http_layers_handler, (void *)within));
    ck_assert_str_eq(BODY("GET /rest/a%20b/c" V CLOSE "\r\n"), "ann /rest/a b/c a b/c -");
    ck_assert_str_eq(BODY("GET /rest/ab/c" V CLOSE "\r\n"), "ann /rest/ab/c ab/c -");
    ck_assert_str_eq(BODY("GET /of/a%2Fb" V CLOSE "\r\n"), "ann /of/a%2Fb - a/b");
    ck_assert_str_eq(BODY("GET /in/%41/x%20y" V CLOSE "\r\n"), "ann /in/A/x y x y A");
    serve_end();
    return 0;
}

/* A handler says which status its failure means to the client. */
static ssize_t refuses(struct cg_http_request *req, void *arg)
{
    (void)arg;
    cg_http_response_set_failure(req, 415);
    return -EBADMSG;
}

static ssize_t failures(void *arg)
{
    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/refuses", refuses, NULL));
    ck_assert_str_eq(BODY("POST /refuses" V "Content-Length: 5\r\n\r\nhello"),
                     "415 Unsupported Media Type\n");
    IS(strstr(got, CLOSE) != NULL, !h2_text_on);
    ck_assert_str_eq(logged, "");
    serve_end();
    return 0;
}

static const struct test_case cases[] = {
    CORO(hosts), CORO(layers), CORO(params), CORO(failures),
};

static const struct test_case once[] = {CORO(wrong_hosts)};

int main(void)
{
    return both_main("http layers", cases, COUNT(cases), once, COUNT(once));
}
