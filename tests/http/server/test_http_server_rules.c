/* SPDX-License-Identifier: MIT */
/* What the HTTP server requires of its handlers and clients: statuses, upgrades, hosts and
 * parameters. How a connection ends whose client is still sending. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int code_of(const struct cg_http_request *req)
{
    return atoi(cg_http_request_param(req, "code"));
}

static ssize_t answers(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_text(req, code_of(req), "some text\n"));
}

static ssize_t writes(struct cg_http_request *req, void *arg)
{
    (void)arg;
    cg_http_response_set_status(req, code_of(req));
    return cg_yield(cg_http_write(req, "some text\n", 10));
}

/* Sets a status, and sends no response of its own. */
static ssize_t sets(struct cg_http_request *req, void *arg)
{
    (void)arg;
    cg_http_response_set_status(req, code_of(req));
    return 0;
}

/* Ignores the result of its response. */
static ssize_t careless(struct cg_http_request *req, void *arg)
{
    (void)arg;
    cg_yield(cg_http_send_text(req, code_of(req), "some text\n"));
    return 0;
}

static ssize_t upgrades(struct cg_http_request *req, void *arg)
{
    struct cg_sock *sock;
    ssize_t n;

    if (arg != NULL)
        OK(cg_http_response_set_header(req, "Upgrade", arg));
    n = cg_yield(cg_http_upgrade(
        req, cg_http_request_param(req, "code") ? code_of(req) : 101, &sock));
    if (n == 0)
        cg_sock_close(sock);
    return n;
}

static ssize_t host_of(struct cg_http_request *req, void *arg)
{
    const char *host = cg_http_request_header(req, "Host");

    (void)arg;
    return cg_yield(cg_http_send_text(req, 200, host ? host : "-"));
}

static void begin(void)
{
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/answers/:code", answers, NULL));
    OK(cg_http_server_mount(server, "/writes/:code", writes, NULL));
    OK(cg_http_server_mount(server, "/sets/:code", sets, NULL));
    OK(cg_http_server_mount(server, "/careless/:code", careless, NULL));
    OK(cg_http_server_mount(server, "/upgrade", upgrades, NULL));
    OK(cg_http_server_mount(server, "/upgrade/:code", upgrades, NULL));
    OK(cg_http_server_mount(server, "/upgrade/to/b", upgrades, "b"));
    OK(cg_http_server_mount(server, "/host", host_of, NULL));
}

/* A final response has a status from 200 to 999. Any other status is a failure of the
 * handler. */
static ssize_t statuses(void *arg)
{
    static const char *const ways[] = {"answers", "writes", "sets", "careless"};
    static const struct {
        const char *code;
        int want;
    } cases[] = {
        {"200", 200}, {"299", 299}, {"599", 599},  {"999", 999},         {"199", 500},
        {"100", 500}, {"101", 500}, {"99", 500},   {"1000", 500},        {"-1", 500},
        {"1", 500},   {"-200", 500}, {"65736", 500}, {"2147483647", 500},
    };
    char request[128];

    (void)arg;
    begin();
    for (size_t way = 0; way < COUNT(ways); way++) {
        for (size_t i = 0; i < COUNT(cases); i++) {
            logged[0] = '\0';
            snprintf(request, sizeof request, "GET /%s/%s" V CLOSE "\r\n", ways[way],
                     cases[i].code);
            test_is(status_of(request), cases[i].want, request, __FILE__, __LINE__);
            IS(logged[0] != '\0', cases[i].want == 500);
        }
    }
    IS(status_of("GET /answers/0" V CLOSE "\r\n"), 500);
    serve_end();
    return 0;
}

/* Some statuses have no body, whatever the handler sends. */
static ssize_t no_bodies(void *arg)
{
    (void)arg;
    begin();
    ck_assert_str_eq(ask("GET /answers/205" V CLOSE "\r\n"),
                     "HTTP/1.1 205 Reset Content\r\n" PLAIN_TYPE "Content-Length: 0\r\n" CLOSE
                     "\r\n");
    ck_assert_str_eq(ask("GET /writes/205" V CLOSE "\r\n"),
                     "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n" CLOSE "\r\n");
    ck_assert_str_eq(ask("GET /sets/205 HTTP/1.0\r\n\r\n"),
                     "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n" CLOSE "\r\n");
    ck_assert_str_eq(ask("GET /answers/204" V CLOSE "\r\n"),
                     "HTTP/1.1 204 No Content\r\n" PLAIN_TYPE CLOSE "\r\n");
    serve_end();
    return 0;
}

/* A connection is upgraded if the client asks for it and the response names the
 * protocol. */
static ssize_t upgrade(void *arg)
{
#define ASKS "Connection: x, Upgrade\r\nUpgrade: a/1, b\r\n\r\n"
#define SWITCHES "HTTP/1.1 101 Switching Protocols\r\nUpgrade: "
    (void)arg;
    begin();
    ck_assert_str_eq(ask("GET /upgrade" V ASKS), SWITCHES "a/1\r\nConnection: upgrade\r\n\r\n");
    ck_assert_str_eq(ask("GET /upgrade/to/b" V ASKS),
                     SWITCHES "b\r\nConnection: upgrade\r\n\r\n");
    IS(status_of("GET /upgrade/to/b" V CLOSE "Connection: upgrade\r\nUpgrade: a/1\r\n\r\n"), 500);
    IS(status_of("GET /upgrade" V CLOSE "\r\n"), 500);
    IS(status_of("GET /upgrade" V CLOSE "Upgrade: a\r\n\r\n"), 500);
    IS(status_of("GET /upgrade" V CLOSE "Connection: upgrade\r\n\r\n"), 500);
    IS(status_of("GET /upgrade" V CLOSE "Connection: upgrade\r\nUpgrade:\r\n\r\n"), 500);
    IS(status_of("GET /upgrade HTTP/1.0\r\n" ASKS), 500);
    IS(status_of("GET /upgrade/200" V CLOSE ASKS), 500);
    IS(status_of("GET /upgrade/102" V CLOSE ASKS), 500);
    serve_end();
    return 0;
}

/* The host of an absolute target counts, and is checked. */
static ssize_t hosts(void *arg)
{
    (void)arg;
    begin();
    ck_assert_str_eq(BODY("GET /host" V CLOSE "\r\n"), "x");
    ck_assert_str_eq(BODY("GET http://a:8/host" V CLOSE "\r\n"), "a:8");
    ck_assert_str_eq(BODY("GET http://[::1]/host?q HTTP/1.0\r\n\r\n"), "[::1]");
    IS(status_of("GET http://user@a/host" V CLOSE "\r\n"), 400);
    IS(status_of("GET /host HTTP/1.1\r\nHost: user@a\r\n" CLOSE "\r\n"), 400);
    IS(status_of("GET /host HTTP/1.1\r\nHost: a,b\r\n" CLOSE "\r\n"), 400);
    IS(status_of("GET /host#a" V CLOSE "\r\n"), 400);
    IS(status_of("GET /host?a#b" V CLOSE "\r\n"), 400);
    if (!h2_text_on) { /* nghttp2 resets these streams */
        IS(status_of("GET http:///host" V CLOSE "\r\n"), 400);
        IS(status_of("GET *://a/host" V CLOSE "\r\n"), 400);
        IS(status_of("GET http://?/host" V CLOSE "\r\n"), 400);
    }
    serve_end();
    return 0;
}

/* "%2F" is part of its segment, and "%252F" is not "%2F". */
static ssize_t params(void *arg)
{
    (void)arg;
    begin();
    ck_assert_str_eq(BODY("GET /u/a%2Fb" V CLOSE "\r\n"), "one GET /u/a%2Fb id=a/b *=- q=-");
    ck_assert_str_eq(BODY("GET /u/a%252Fb" V CLOSE "\r\n"), "one GET /u/a%252Fb id=a%2Fb *=- q=-");
    ck_assert_str_eq(BODY("GET http://h/u/%61%2f/x/y%2Fz?q=/1" V CLOSE "\r\n"),
                     "beneath GET /u/a%2F/x/y%2Fz id=a/ *=y%2Fz q=/1");
    ck_assert_str_eq(BODY("GET /u/1/x/y%252Fz%25252f" V CLOSE "\r\n"),
                     "beneath GET /u/1/x/y%252Fz%25252f id=1 *=y%252Fz%25252f q=-");
    ck_assert_str_eq(BODY("GET /u/%3Fb?q=%2F" V CLOSE "\r\n"), "one GET /u/?b id=?b *=- q=/");
    serve_end();
    return 0;
}

/* A method that no request can have cannot be mounted. */
static ssize_t mounts(void *arg)
{
    (void)arg;
    begin();
    IS(cg_http_server_mount(server, "get /x", host_of, NULL), -EINVAL);
    IS(cg_http_server_mount(server, "FOO /x", host_of, NULL), -EINVAL);
    IS(cg_http_server_mount(server, " /x", host_of, NULL), -EINVAL);
    OK(cg_http_server_mount(server, "M-SEARCH /x", host_of, NULL));
    IS(status_of("M-SEARCH /x" V CLOSE "\r\n"), 200);
    serve_end();
    return 0;
}

/* A connection that ends because of an unread body of known length says so in its response.
 * Otherwise it stays open. */
static ssize_t unread(void *arg)
{
    static const struct {
        const char *text;
        unsigned body; /* bytes after the head */
        bool closes;
    } cases[] = {
        {"GET /" V "Content-Length: 65536\r\n\r\n", 65536, false},
        {"GET /" V "Content-Length: 65537\r\n\r\n", 65537, true},
        {"GET /" V "Content-Length: 100000\r\n\r\n", 100000, true},
        {"POST /" V "Content-Length: 100000\r\n\r\n", 100000, true}, /* 405 */
        {"GET /nowhere" V "Content-Length: 100000\r\n\r\n", 100000, true},
        {"GET /" V "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n", 0, true},
        {"GET /" V "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 0, false},
        {"GET /text" V "Content-Length: 100000\r\n\r\n", 100000, true},
        {"GET /events" V "Content-Length: 100000\r\n\r\n", 100000, true},
    };
    static char junk[100000];

    (void)arg;
    begin();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cg_sock *sock = serve_client();

        send_text(sock, cases[i].text);
        OK(cg_yield(cg_writeall(sock, junk, cases[i].body)));
        if (!cases[i].closes)
            send_text(sock, "GET /" V CLOSE "\r\n");
        receive(sock, NULL);
        ck_assert_msg(strstr(got, CLOSE "\r\n") != NULL, "%zu: %s", i, got);
        IS(strstr(got, HELLO "\r\nhello\n" HELLO CLOSE) != NULL, !cases[i].closes);
        cg_sock_close(sock);
    }
    serve_end();
    return 0;
}

/* A client that sends two megabytes before it reads gets the status, whatever it is. */
static ssize_t lingers(void *arg)
{
    static const struct {
        const char *text;
        int want;
    } cases[] = {
        {"POST /whole" V "Content-Length: 2000000\r\n\r\n", 413},
        {"POST /whole10" V "Content-Length: 2000000\r\n\r\n", 413},
        {"POST /whole10" V "Transfer-Encoding: chunked\r\n\r\nffffff\r\n", 413},
        {"GET /" V "A: ", 431},
        {"GET /", 414},
        {"\x16\x03", 400},
        {"GET /" V "Content-Length: 1000000\r\n\r\n", 200},
        {"GET /fails" V "Content-Length: 1000000\r\n\r\n", 500},
        {"POST /" V "Content-Length: 2000000\r\nExpect: tea\r\n\r\n", 413},
    };
    static char junk[2000000];

    (void)arg;
    begin();
    memset(junk, 'x', sizeof junk);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct cg_sock *sock = serve_client();
        int status = 0;

        send_text(sock, cases[i].text);
        IS(cg_yield(cg_writeall(sock, junk, sizeof junk)), sizeof junk);
        sscanf(receive(sock, NULL), "HTTP/1.1 %d ", &status);
        test_is(status, cases[i].want, cases[i].text, __FILE__, __LINE__);
        ck_assert_ptr_nonnull(strstr(got, CLOSE));
        cg_sock_close(sock);
    }
    serve_end();
    return 0;
}

static const struct test_case cases[] = {
    CORO(statuses), CORO(no_bodies), CORO(hosts), CORO(params), CORO(mounts),
};

static const struct test_case once[] = {CORO(upgrade), CORO(unread), CORO(lingers)};

int main(void)
{
    return both_main("http server rules", cases, COUNT(cases), once, COUNT(once));
}
