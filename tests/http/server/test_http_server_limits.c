/* SPDX-License-Identifier: MIT */
/* The HTTP server's limits, timeouts and shutdown. Timeouts run in virtual time. */
#include "config.h"

#include "tests/http/http_serve.h"
#include "tests/support/closing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int64_t now(void)
{
    return cg_sched_now(cg_sched_self());
}

static ssize_t limits(void *arg)
{
    struct cg_sock *first, *second;
    struct cg_coro *waiter;

    (void)arg;
    (void)waiter;
    serve_begin(&(struct cg_http_server_options){.target_limit = 20, .headers_limit = 60,
                                           .headers_count = 3, .body_limit = 8,
                                           .requests = 2, .connections = 1});
    IS(status_of("GET /2345678901234567890" V CLOSE "\r\n"), 200);
    IS(status_of("GET /23456789012345678901" V CLOSE "\r\n"), 414);
    IS(status_of("GET /" V "A: b\r\nB: c\r\nC: d\r\n\r\n"), 431);
    IS(status_of("GET /" V "A: 3456789012345678901234567890123456789012345678901234567890\r\n\r\n"),
       431);
    IS(status_of("POST /whole" V CLOSE "Content-Length: 8\r\n\r\n12345678"), 201);
    IS(status_of("POST /whole" V "Content-Length: 9\r\n\r\n"), 413);
    IS(status_of("POST /whole" V "Transfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n"), 413);
    IS(status_of("GET /" V "A: b\r\n c\r\n\r\n"), 400);
    IS(status_of("FOO /" V "\r\n"), 501);
    IS(status_of("GET / HTTP/3.0\r\n\r\n"), 505);
    ck_assert_str_eq(ask("GET /" V "\r\nGET /" V "\r\nGET /" V "\r\n"),
                     HELLO "\r\nhello\n" HELLO CLOSE "\r\nhello\n");
    first = serve_client();
    send_text(first, "GET /" V "\r\n");
    receive(first, "hello\n");
    second = serve_client();
    send_text(second, "GET /" V CLOSE "\r\n");
    ck_assert_str_eq(receive(second, NULL), HELLO CLOSE "\r\nhello\n");
    ck_assert_str_eq(receive(first, NULL), "");
    cg_sock_close(first);
    cg_sock_close(second);
    serve_end();
    return 0;
}

/* Each timeout comes at its time, neither before nor much later. */
static ssize_t clocks(void *arg)
{
    static const struct {
        const char *text, *want;
        int64_t after;
    } cases[] = {
        {"", "", 2 * CG_SECOND},
        {"\r\n", "", 2 * CG_SECOND},
        {"GET / HT", "HTTP/1.1 408 ", 2 * CG_SECOND},
        {"GET /" V "A:", "HTTP/1.1 408 ", 2 * CG_SECOND},
        {"POST /whole" V "Content-Length: 5\r\n\r\nhell", "HTTP/1.1 408 ", 3 * CG_SECOND},
        {"GET /" V "\r\n", HELLO "\r\nhello\n", 5 * CG_SECOND},
    };

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.header_timeout = 2 * CG_SECOND,
                                           .body_timeout = 3 * CG_SECOND,
                                           .idle_timeout = 5 * CG_SECOND});
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t start = now();
        struct cg_sock *sock = serve_client();

        send_text(sock, cases[i].text);
        receive(sock, NULL);
        ck_assert_msg(cases[i].want[0] ? strncmp(got, cases[i].want, strlen(cases[i].want)) == 0
                                       : got[0] == '\0',
                      "%zu: %s", i, got);
        ck_assert_int_ge(now() - start, cases[i].after);
        ck_assert_int_le(now() - start, cases[i].after + 2 * CG_SECOND);
        cg_sock_close(sock);
    }
    serve_end();
    return 0;
}

/* A head that comes slowly, but fast enough, has the same timeout as one that stops. */
static ssize_t drips(void *arg)
{
    struct cg_sock *sock;
    int64_t start = now();
    const char *p = "GET / HTTP/1.1\r\nHost: x\r\nABCDEFGHIJKLMNOPQRST";

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.header_timeout = 10 * CG_SECOND,
                                                 .header_rate = 1});
    sock = serve_client();
    while (now() < start + 9 * CG_SECOND) {
        IS(cg_yield(cg_write(sock, p++, 1)), 1);
        OK(cg_yield(cg_sleep(CG_SECOND)));
    }
    receive(sock, NULL);
    ck_assert_int_eq(strncmp(got, "HTTP/1.1 408 ", 13), 0);
    ck_assert_int_le(now(), start + 12 * CG_SECOND);
    cg_sock_close(sock);
    serve_end();
    return 0;
}

/* After a response that closes the connection, the server reads a limited number of bytes
 * from a client that goes on sending. Then the connection ends before its timeout. */
static ssize_t lingers_for_so_much(void *arg)
{
    static char junk[8192];
    struct cg_sock *sock;
    int64_t start = now();

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.linger_limit = 4096,
                                           .linger_timeout = 10 * CG_SECOND});
    sock = serve_client();
    send_text(sock, "GET /" V CLOSE "\r\n");
    receive(sock, NULL);
    OK(cg_yield(cg_writeall(sock, junk, sizeof junk)));
    while (cg_http_server_connections(server) > 0)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    ck_assert_int_lt(now() - start, 10 * CG_SECOND);
    cg_sock_close(sock);
    serve_end();
    return 0;
}

/* A client that reads nothing of a response is reset, and its unsent bytes are dropped. */
static ssize_t resets_who_does_not_read(void *arg)
{
    struct cg_sock *sock;
    ssize_t n;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.write_timeout = 200 * CG_MILLISECOND});
    sock = serve_client();
    send_text(sock, "GET /floods" V "\r\n");
    while (cg_http_server_connections(server) == 0)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    while (cg_http_server_connections(server) > 0)
        OK(cg_yield(cg_sleep(50 * CG_MILLISECOND)));
    while ((n = cg_yield(cg_read(sock, got, sizeof got, .timeout = 10 * CG_SECOND))) > 0)
        ;
    IS(n, -ECONNRESET);
    cg_sock_close(sock);
    serve_end();
    return 0;
}

static ssize_t fills_the_way(struct cg_http_request *req, void *arg)
{
    static const char junk[64 * 1024];
    struct cg_sock *sock = cg_http_request_sock(req);
    ssize_t n = 1;

    (void)arg;
    while (n > 0) {
        n = cg_yield(cg_write(sock, junk, sizeof junk, .timeout = 50 * CG_MILLISECOND));
        /* A socket that is reported as full may still have room for some bytes. */
        if (n == -ETIMEDOUT && cg_sock_fd(sock) >= 0)
            n = send(cg_sock_fd(sock), junk, sizeof junk, MSG_DONTWAIT);
    }
    return cg_yield(cg_http_send_text(req, 200, "first\n"));
}

static ssize_t reads_in_vain(struct cg_http_request *req, void *arg)
{
    char buf[8];

    (void)arg;
    IS(cg_yield(cg_http_read(req, buf, sizeof buf, .timeout = 50 * CG_MILLISECOND)),
       -ETIMEDOUT);
    handled++;
    return cg_yield(cg_http_send_text(req, 200, "last\n"));
}

/* Reads the rest of a stream, without its zeros, as a string. */
static char *read_text(struct cg_sock *sock)
{
    char *text = NULL;
    size_t size = 0;
    FILE *kept = open_memstream(&text, &size);
    ssize_t n;

    while ((n = cg_yield(cg_read(sock, got, sizeof got, .timeout = 10 * CG_SECOND))) > 0)
        for (ssize_t i = 0; i < n; i++)
            if (got[i] != '\0')
                putc(got[i], kept);
    IS(n, 0);
    fclose(kept);
    return text;
}

/* Skips a response with a length; returns what follows it. */
static const char *skip_response(const char *text)
{
    const char *length = strstr(text, "Content-Length: "), *body = strstr(text, "\r\n\r\n");

    ck_assert_ptr_nonnull(length);
    ck_assert_ptr_nonnull(body);
    return body + 4 + atol(length + strlen("Content-Length: "));
}

/* A handler may give up reading while earlier responses wait to be written. They come whole, and
 * its own response behind them. */
static ssize_t nothing_is_lost(void *arg)
{
    struct cg_sock *sock;
    const char *at;
    char *text;

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/fills", fills_the_way, NULL));
    OK(cg_http_server_mount(server, "/vain", reads_in_vain, NULL));
    sock = serve_client();
    send_text(sock, "GET /fills" V "\r\nGET /binary" V "\r\nGET /binary" V "\r\n"
                    "GET /binary" V "\r\nPOST /vain" V "Content-Length: 5\r\n\r\n");
    until_handled(1);
    send_text(sock, "abcde");
    OK(cg_yield(cg_shutdown(sock, SHUT_WR)));
    at = text = read_text(sock);
    for (int i = 0; i < 5; i++) {
        ck_assert(memcmp(at, "HTTP/1.1 200 ", 13) == 0);
        at = skip_response(at);
        ck_assert(at <= strchr(text, '\0'));
    }
    ck_assert_str_eq(at - strlen("last\n"), "last\n");
    free(text);
    cg_sock_close(sock);
    serve_end();
    return 0;
}

/* Shutdown: an idle connection is closed, and a running request is completed with
 * Connection: close. A request that takes too long is cut. */
static ssize_t shuts_down(void *arg)
{
    for (int patient = 0; patient < 2; patient++) {
        struct cg_sock *idle, *busy;
        int64_t start;

        (void)arg;
        serve_begin(NULL);
        idle = serve_client();
        busy = serve_client();
        send_text(busy, "GET /sleeps" V "\r\n");
        while (handled == 0)
            OK(cg_yield(cg_sleep(CG_MILLISECOND)));
        start = now();
        IS(cg_yield(cg_http_shutdown(server, .timeout = (patient ? 20 : 4) * CG_SECOND)),
           patient ? 0 : -ETIMEDOUT);
        IS(test_end(serving), 0);
        ck_assert_uint_eq(cg_http_server_connections(server), 0);
        ck_assert_int_le(now() - start, (patient ? 12 : 6) * CG_SECOND);
        ck_assert_str_eq(receive(idle, NULL), "");
        receive(busy, NULL);
        if (patient)
            ck_assert_str_eq(got, HELLO CLOSE "\r\nslept\n");
        cg_sock_close(idle);
        cg_sock_close(busy);
        cg_http_server_free(server);
        cg_sock_close(listener);
    }
    return 0;
}

/* A serve that is cancelled closes its connections. */
static ssize_t cancelled(void *arg)
{
    struct cg_sock *idle, *busy;

    (void)arg;
    serve_begin(NULL);
    idle = serve_client();
    busy = serve_client();
    send_text(busy, "GET /sleeps" V "\r\n");
    while (handled == 0)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    OK(cg_yield(cg_cancel(serving)));
    IS(test_end(serving), -ECANCELED);
    ck_assert_uint_eq(cg_http_server_connections(server), 0);
    ck_assert_str_eq(receive(idle, NULL), "");
    cg_sock_close(idle);
    cg_sock_close(busy);
    cg_http_server_free(server);
    cg_sock_close(listener);
    return 0;
}

/* The listener may be closed at any time: before the serve runs, while it runs, and while
 * it is being cancelled. That ends it and its connections at once. */
static ssize_t may_be_answered(void *arg)
{
    static const char text[] = "GET /held" V "\r\n";
    struct cg_sock *sock;
    char buf[64];

    (void)arg;
    if (cg_yield(cg_connect(addr, &sock)) < 0)
        return 0;
    cg_yield(cg_writeall(sock, text, sizeof text - 1));
    while (cg_yield(cg_read(sock, buf, sizeof buf)) > 0)
        continue;
    cg_sock_close(sock);
    return 0;
}

static void closing_open(void *arg)
{
    server = cg_http_server_new(.log = log_line);
    OK(cg_http_server_mount(server, "GET /held", held, NULL));
    listener = test_listen(addr);
    *(struct cg_coro **)arg = test_start(may_be_answered, NULL);
}

static struct cg_op *closing_op(void *arg, void *room)
{
    (void)arg;
    return KEEP_OP(room, cg_http_serve_op, cg_http_serve(server, listener));
}

static void closing_close(void *arg)
{
    (void)arg;
    cg_sock_close(listener);
}

static void closing_end(void *arg, ssize_t answer, bool closed)
{
    (void)answer;
    ck_assert_uint_eq(cg_http_server_connections(server), 0);
    cg_http_server_free(server);
    if (!closed)
        cg_sock_close(listener);
    test_end(*(struct cg_coro **)arg);
}

static ssize_t closed_at_any_time(void *arg)
{
    struct cg_coro *asker;

    (void)arg;
    closing_at_any_time(&(struct closing){.arg = &asker,
                                          .open = closing_open,
                                          .op = closing_op,
                                          .close = closing_close,
                                          .end = closing_end,
                                          .steps = 8,
                                          .slowly = true});
    return 0;
}

static const struct test_case cases[] = {
    CORO(limits),
    CORO(clocks, .where = ON_SIM),
    CORO(drips, .where = ON_SIM),
    CORO(lingers_for_so_much, .where = ON_SIM),
    CORO(resets_who_does_not_read),
    CORO(nothing_is_lost),
    CORO(shuts_down, .where = ON_SIM),
    CORO(cancelled, .where = ON_SIM),
    CORO(closed_at_any_time),
};

int main(void)
{
    return test_main("http server limits", cases, COUNT(cases));
}
