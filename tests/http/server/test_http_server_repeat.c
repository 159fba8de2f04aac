/* SPDX-License-Identifier: MIT */
/* Requests of a connection whose fields repeat, and requests that come together, in one piece or
 * many: the responses do not show it. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Responds with all that it was given. Then it may overwrite the texts of the request. */
static ssize_t tells(struct cg_http_request *req, void *arg)
{
    char text[512], *data = NULL;
    struct cg_http_field field;
    size_t next = 0;
    int n = snprintf(text, sizeof text, "%s %s 1.%d", cg_http_request_method(req),
                     cg_http_request_target(req), cg_http_request_minor(req));

    handled++;
    OK(cg_yield(cg_http_read_body(req, &data)));
    while (cg_http_headers_next(cg_http_request_headers(req), &next, &field)) {
        n += snprintf(text + n, sizeof text - (size_t)n, "|%s=%s", field.name, field.value);
        if (arg != NULL) {
            memset((char *)field.name, 'Z', strlen(field.name));
            memset((char *)field.value, 'Z', strlen(field.value));
        }
    }
    snprintf(text + n, sizeof text - (size_t)n, "|%s.\n", data);
    return cg_yield(cg_http_send_text(req, 200, text));
}

/* Waits while its texts are still used. */
static ssize_t waits(struct cg_http_request *req, void *arg)
{
    const char *a = cg_http_request_header(req, "A");
    char was[64];

    (void)arg;
    snprintf(was, sizeof was, "%s", a);
    handled++;
    cg_yield(cg_wait_signal(&handled, NULL));
    ck_assert_str_eq(a, was);
    ck_assert_ptr_eq(a, cg_http_request_header(req, "A"));
    return cg_yield(cg_http_send_text(req, 200, was));
}

/* Reads the socket itself: the requests that follow are unread there. */
static ssize_t looks(struct cg_http_request *req, void *arg)
{
    struct cg_sock *sock = cg_http_request_sock(req);
    struct cg_view view;
    bool more = arg != NULL;

    handled++;
    if (more) {
        IS(cg_yield(cg_poll_sock(sock, CG_IN, .timeout = CG_SECOND)), CG_IN);
        IS(OK(cg_yield(cg_borrow(sock, &view))) > 10, true);
        ck_assert_mem_eq(view.data, "GET /", 5);
        cg_view_release(&view, 0);
    } else {
        IS(cg_yield(cg_poll_sock(sock, CG_IN, .timeout = 20 * CG_MILLISECOND)), -ETIMEDOUT);
    }
    return cg_yield(cg_http_send_text(req, 200, more ? "more\n" : "none\n"));
}

static ssize_t takes_over(struct cg_http_request *req, void *arg)
{
    struct cg_sock *sock;
    char line[64];
    ssize_t n;

    (void)arg;
    handled++;
    OK(cg_yield(cg_http_upgrade(req, 101, &sock)));
    n = OK(cg_yield(cg_readline(sock, line, sizeof line)));
    OK(cg_yield(cg_writeall(sock, line, n)));
    cg_sock_close(sock);
    return 0;
}

static void mount(struct cg_http_server *all)
{
    OK(cg_http_server_mount(all, "/t/", tells, "spoil"));
    OK(cg_http_server_mount(all, "/l/", tells, NULL));
    OK(cg_http_server_mount(all, "/w", waits, NULL));
    OK(cg_http_server_mount(all, "/more", looks, "more"));
    OK(cg_http_server_mount(all, "/none", looks, NULL));
    OK(cg_http_server_mount(all, "/up", takes_over, NULL));
}

static void begin(FILE *log)
{
    serve_begin_with(mount, &(struct cg_http_server_options){.access_log = log, .name = ""});
}

/* Returns the next bodies, up to the text `stop` or to the end of the stream, without the
 * heads. */
static const char *bodies(struct cg_sock *sock, const char *stop)
{
    char *head, *body;

    receive(sock, stop);
    while ((head = strstr(got, "HTTP/1.1 ")) != NULL) {
        body = strstr(head, "\r\n\r\n");
        ck_assert_ptr_nonnull(body);
        memmove(head, body + 4, strlen(body + 4) + 1);
    }
    return got;
}

static const char *ask_on(struct cg_sock *sock, const char *text)
{
    send_text(sock, text);
    return bodies(sock, ".\n");
}

/* A handler gets the fields as they came, even if an earlier handler has overwritten its
 * own. */
static ssize_t same_again(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    begin(NULL);
    sock = serve_client();
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(ask_on(sock, "GET /t/1 HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"),
                         "GET /t/1 1.1|Host=x|A=b|.\n");
        ck_assert_str_eq(ask_on(sock, "GET /t/other?x HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"),
                         "GET /t/other?x 1.1|Host=x|A=b|.\n");
    }
    ck_assert_str_eq(ask_on(sock, "POST /t/ HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"),
                     "POST /t/ 1.1|Host=x|A=b|.\n");
    ck_assert_str_eq(
        ask_on(sock, "POST /t/ HTTP/1.1\r\nHost: x\r\nA: b\r\nContent-Length: 3\r\n\r\nabc"),
        "POST /t/ 1.1|Host=x|A=b|Content-Length=3|abc.\n");
    ck_assert_str_eq(ask_on(sock, "GET /t/ HTTP/1.0\r\nHost: x\r\nA: b\r\n"
                               "Connection: keep-alive\r\n\r\n"),
                     "GET /t/ 1.0|Host=x|A=b|Connection=keep-alive|.\n");
    send_text(sock, "HEAD /t/ HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"
                    "GET /t/ HTTP/1.0\r\nHost: x\r\nA: b\r\n\r\n");
    ck_assert_str_eq(bodies(sock, NULL), "GET /t/ 1.0|Host=x|A=b|.\n");
    cg_sock_close(sock);
    serve_end();
    return 0;
}

/* The requests of one client do not affect those of another. A handler that waits keeps its
 * texts while others are served. */
static ssize_t alternating(void *arg)
{
    struct cg_sock *a, *b, *waiting;

    (void)arg;
    begin(NULL);
    a = serve_client();
    b = serve_client();
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(ask_on(a, "GET /t/a HTTP/1.1\r\nHost: x\r\nA: 1\r\n\r\n"),
                         "GET /t/a 1.1|Host=x|A=1|.\n");
        ck_assert_str_eq(ask_on(b, "GET /t/b HTTP/1.1\r\nHost: x\r\nB: 2\r\nC: 3\r\n\r\n"),
                         "GET /t/b 1.1|Host=x|B=2|C=3|.\n");
    }
    waiting = serve_client();
    handled = 0;
    send_text(waiting, "GET /w HTTP/1.1\r\nHost: x\r\nA: kept\r\n\r\n"
                       "GET /w HTTP/1.1\r\nHost: x\r\nA: kept\r\n\r\n");
    for (unsigned i = 1; i < 3; i++) {
        while (handled < i)
            OK(cg_yield(cg_sleep(CG_MILLISECOND)));
        ck_assert_str_eq(ask_on(a, "GET /t/a HTTP/1.1\r\nHost: x\r\nA: 1\r\n\r\n"),
                         "GET /t/a 1.1|Host=x|A=1|.\n");
        handled = i;
        OK(cg_yield(cg_signal(&handled, NULL)));
        bodies(waiting, "kept");
    }
    cg_sock_close(a);
    cg_sock_close(b);
    cg_sock_close(waiting);
    serve_end();
    return 0;
}

/* Requests that come together get the responses that each would get alone, wherever the
 * bytes are cut: with bodies that are read or not, with the fields of another request. A
 * refused request is the last one. */
static ssize_t batches(void *arg)
{
    static const char text[] =
        "GET /t/1 HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"
        "GET /t/22 HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"
        "POST /t/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        "POST /none/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        "GET /t/ HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"
        "GET /t/333 HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n"
        "GET /t/ HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"
        "GET /t/ HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n";
    static const char want[] = "GET /t/1 1.1|Host=x|A=b|.\n"
                               "GET /t/22 1.1|Host=x|A=b|.\n"
                               "POST /t/ 1.1|Host=x|Content-Length=3|abc.\n"
                               "404 Not Found\n"
                               "GET /t/ 1.1|Host=x|A=b|.\n"
                               "GET /t/333 1.1|Host=x|A=b|.\n"
                               "400 Bad Request\n";
    size_t size = sizeof text - 1;

    (void)arg;
    begin(NULL);
    for (size_t cut = 1; cut <= size; cut += test_on_sim() ? 1 : 23) {
        struct cg_sock *sock = serve_client();

        OK(cg_yield(cg_writeall(sock, text, cut)));
        if (cut < size) {
            OK(cg_yield(cg_sleep(CG_MILLISECOND)));
            cg_yield(cg_writeall(sock, text + cut, size - cut)); /* sock may be closed */
        }
        ck_assert_msg(strcmp(bodies(sock, NULL), want) == 0, "cut at %zu:\n%s", cut, got);
        cg_sock_close(sock);
    }
    serve_end();
    return 0;
}

/* A handler finds the bytes after its request unread in the socket, and no others. It may
 * take over the connection between two requests. */
static ssize_t sockets(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    begin(NULL);
    sock = serve_client();
    send_text(sock, "GET /t/ HTTP/1.1\r\nHost: x\r\n\r\nGET /more HTTP/1.1\r\nHost: x\r\n\r\n"
                    "GET /more HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_str_eq(bodies(sock, "none\n"), "GET /t/ 1.1|Host=x|.\nmore\nmore\nnone\n");
    send_text(sock, "GET /t/ HTTP/1.1\r\nHost: x\r\n\r\n"
                    "GET /up HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
                    "GET /is no request\n");
    ck_assert_str_eq(bodies(sock, NULL), "GET /t/ 1.1|Host=x|.\nGET /is no request\n");
    cg_sock_close(sock);
    serve_end();
    return 0;
}

/* The log has each request's own line. */
static ssize_t logs_each(void *arg)
{
    static const char *const wants[] = {
        "\"GET /l/1 HTTP/1.1\" 200 46 \"y\" \"me\"\n",
        "\"GET /l/other HTTP/1.1\" 200 50 \"y\" \"me\"\n",
        "\"GET /l/3 HTTP/1.1\" 200 46 \"y\" \"me\"\n",
    };
    FILE *file = tmpfile();
    struct cg_sock *sock;
    char line[512];

    (void)arg;
    begin(file);
    sock = serve_client();
    send_text(sock, "GET /l/1 HTTP/1.1\r\nHost: x\r\nReferer: y\r\nUser-Agent: me\r\n\r\n"
                    "GET /l/other HTTP/1.1\r\nHost: x\r\nReferer: y\r\nUser-Agent: me\r\n\r\n"
                    "GET /l/3 HTTP/1.1\r\nHost: x\r\nReferer: y\r\nUser-Agent: me\r\n\r\n");
    bodies(sock, "/l/3");
    cg_sock_close(sock);
    serve_end();
    rewind(file);
    for (size_t i = 0; i < COUNT(wants); i++) {
        ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
        ck_assert_ptr_nonnull(strstr(line, "] "));
        ck_assert_str_eq(strstr(line, "] ") + 2, wants[i]);
    }
    ck_assert_ptr_null(fgets(line, sizeof line, file));
    fclose(file);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(same_again),
        CORO(alternating),
        CORO(batches),
        CORO(sockets),
        CORO(logs_each, .where = ON_KERNEL),
    };

    return test_main("http server repeats", cases, COUNT(cases));
}
