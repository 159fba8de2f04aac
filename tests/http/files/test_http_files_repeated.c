/* SPDX-License-Identifier: MIT */
/* Responses with one file that repeat within a turn: each is what it would be alone. Requests that
 * are sent together are answered in one turn. */
#include "config.h"

#include "tests/http/files/files_ask.h"

#include <string.h>

#define A_TXT "GET /a.txt HTTP/1.1\r\nHost: x\r\n"
#define C_CSS "GET /c.css HTTP/1.1\r\nHost: x\r\n"
#define C_CSS_GZ "GET /c.css.gz HTTP/1.1\r\nHost: x\r\n\r\n"
#define END "GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

enum { SIZE = 128 * 1024 };

struct place {
    struct cg_http_server *server;
    struct cg_sock *listener;
    struct cg_coro *serving;
    char addr[CG_ADDR_SIZE];
};

static struct place one, other;
static struct cg_http_files *files;

static ssize_t by_origin(struct cg_http_request *req, const struct cg_http_layer *next, void *arg)
{
    (void)arg;
    if (cg_http_request_header(req, "Origin") != NULL)
        OK(cg_http_response_set_header(req, "X-Origin", "some"));
    return cg_http_layer_run(next, req);
}

static ssize_t serve(void *arg)
{
    struct place *place = arg;

    return cg_yield(cg_http_serve(place->server, place->listener));
}

static ssize_t puts_page(struct cg_http_request *req, void *arg)
{
    char *page;

    (void)arg;
    OK(cg_yield(cg_http_read_body(req, &page)));
    files_put("www/page.txt", page);
    return cg_yield(cg_http_respond(req, 204, "", 0));
}

static void begin(struct place *place, const char *name)
{
    place->server = cg_http_server_new(.name = name);
    OK(cg_http_server_add_layer(place->server, by_origin, NULL));
    OK(cg_http_server_mount(place->server, "/", cg_http_files_handler, files));
    OK(cg_http_server_mount(place->server, "/put", puts_page, NULL));
    place->listener = test_listen(place->addr);
    place->serving = test_start(serve, place);
}

static void end(struct place *place)
{
    IS(cg_yield(cg_http_shutdown(place->server, .timeout = CG_SECOND)), 0);
    IS(test_end(place->serving), 0);
    cg_http_server_free(place->server);
    cg_sock_close(place->listener);
}

static void with_places(void (*check)(void))
{
    char path[128], large[20001];

    files_make_root(path, sizeof path);
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    files_put("www/large.txt", large);
    files_put("www/empty.txt", "");
    OK(cg_http_files_open(path, &(struct cg_http_files_options){.cache = "no-cache"}, &files));
    begin(&one, "one");
    begin(&other, "other");
    check();
    end(&one);
    end(&other);
    cg_http_files_close(files);
    files_remove_root();
}

static void hide_dates(char *text)
{
    while ((text = strstr(text, "\r\nDate: ")) != NULL) {
        text += 8;
        memset(text, '-', strcspn(text, "\r"));
    }
}

static struct cg_sock *sent(const struct place *place, const char *text)
{
    struct cg_sock *sock;

    OK(cg_yield(cg_connect(place->addr, &sock)));
    OK(cg_yield(cg_writeall(sock, text, strlen(text))));
    return sock;
}

/* Concatenates texts; the last is NULL. */
#define JOIN(to, ...) join(to, (const char *const[]){__VA_ARGS__, NULL})
static void join(char *to, const char *const *texts)
{
    *to = '\0';
    for (; *texts != NULL; texts++) {
        ck_assert_uint_lt(strlen(to) + strlen(*texts), SIZE);
        strcat(to, *texts);
    }
}

/* All that comes back. */
static char *received(struct cg_sock *sock, char *to)
{
    size_t size = 0;
    ssize_t n;

    while ((n = OK(cg_yield(cg_read(sock, to + size, SIZE - 1 - size)))) > 0)
        size += (size_t)n;
    to[size] = '\0';
    cg_sock_close(sock);
    hide_dates(to);
    return to;
}

/* What comes back to a request alone, after which the connection stays open. */
static char *alone(const char *request, char *to)
{
    static char both[SIZE], last[SIZE];
    size_t size;

    JOIN(both, request, END);
    received(sent(&one, both), to);
    size = strlen(to) - strlen(received(sent(&one, END), last));
    ck_assert_str_eq(to + size, last);
    to[size] = '\0';
    return to;
}

/* The same file is asked for before and after a request of each kind, and by that twice. */
static void look_mixed(void)
{
    static const char *const kinds[] = {
        A_TXT "\r\n",
        A_TXT "Range: bytes=2-4\r\n\r\n",
        A_TXT "Range: bytes=2-4\r\nIf-Range: \"x\"\r\n\r\n",
        A_TXT "If-None-Match: *\r\n\r\n",
        A_TXT "If-Match: \"x\"\r\n\r\n",
        A_TXT "Origin: b.example\r\n\r\n",
        A_TXT "Accept-Encoding: br\r\n\r\n",
        A_TXT "Content-Length: 3\r\n\r\nabc",
        "HEAD /a.txt HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        C_CSS "\r\n",
        C_CSS "Accept-Encoding: gzip\r\n\r\n",
        C_CSS_GZ,
        "GET /empty.txt HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /large.txt HTTP/1.1\r\nHost: x\r\n\r\n",
    };
    static const char *const files_of[] = {A_TXT "\r\n", C_CSS "\r\n", C_CSS_GZ};
    static char usual[SIZE], kind[SIZE], text[SIZE], want[SIZE], got_now[SIZE];

    for (size_t k = 0; k < COUNT(files_of); k++) {
        const char *file = files_of[k];

        alone(file, usual);
        for (size_t i = 0; i < COUNT(kinds); i++) {
            alone(kinds[i], kind);
            JOIN(text, file, kinds[i], file, kinds[i], file, END);
            JOIN(want, usual, kind, usual, kind, usual);
            received(sent(&one, text), got_now);
            ck_assert_msg(strncmp(got_now, want, strlen(want)) == 0, "%s\n%s", kinds[i], got_now);
        }
    }
}

static ssize_t mixed(void *arg)
{
    (void)arg;
    with_places(look_mixed);
    return 0;
}

/* A request that ends its connection is told so. */
static void look_last(void)
{
    static const char *const kinds[] = {A_TXT "Connection: close\r\n\r\n",
                                        "GET /a.txt HTTP/1.0\r\n\r\n"};
    static char usual[SIZE], kind[SIZE], text[SIZE], want[SIZE], got_now[SIZE];

    alone(A_TXT "\r\n", usual);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        received(sent(&one, kinds[i]), kind);
        JOIN(text, A_TXT "\r\n", A_TXT "\r\n", kinds[i]);
        JOIN(want, usual, usual, kind);
        ck_assert_str_eq(received(sent(&one, text), got_now), want);
    }
}

static ssize_t last(void *arg)
{
    (void)arg;
    with_places(look_last);
    return 0;
}

/* Two servers with one tree have names of their own, also within a turn. */
static void look_two(void)
{
    static const char ask[] = A_TXT "\r\n" A_TXT "\r\n" A_TXT "\r\n" END;
    static char got_now[SIZE];
    struct cg_sock *first = sent(&one, ask), *second = sent(&other, ask);

    ck_assert_ptr_null(strstr(received(first, got_now), "Server: other\r\n"));
    ck_assert_ptr_null(strstr(received(second, got_now), "Server: one\r\n"));
    ck_assert_ptr_nonnull(strstr(got_now, "Server: other\r\n"));
}

static ssize_t two(void *arg)
{
    (void)arg;
    with_places(look_two);
    return 0;
}

/* A request behind one that has changed the file gets the new one, also in the same turn. */
static void look_changed(void)
{
    static const char page[] = "GET /page.txt HTTP/1.1\r\nHost: x\r\n\r\n",
                      put[] = "PUT /put HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nnew";
    static char text[SIZE], got_now[SIZE];

    JOIN(text, page, put, page, put, page, END);
    received(sent(&one, text), got_now);
    ck_assert_msg(strncmp(got_now, "HTTP/1.1 404", 12) == 0, "%s", got_now);
    ck_assert_ptr_nonnull(strstr(got_now, "\r\n\r\nnewHTTP/1.1 204"));
    files_put("www/page.txt", "old page");
    received(sent(&one, text), got_now);
    ck_assert_ptr_nonnull(strstr(got_now, "\r\n\r\nold pageHTTP/1.1 204"));
    ck_assert_ptr_nonnull(strstr(got_now, "\r\n\r\nnewHTTP/1.1 204"));
}

static ssize_t changed(void *arg)
{
    (void)arg;
    with_places(look_changed);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {CORO(mixed), CORO(last), CORO(two), CORO(changed)};

    return test_main("http files repeated", cases, COUNT(cases));
}
