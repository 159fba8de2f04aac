/* SPDX-License-Identifier: MIT */
/* The HTTP server without memory: each of its allocations fails in turn. The client gets
 * its response, a 500, a 503 or a close. The next client is served. */
#include "config.h"

#include <cogen/http_server.h>

#include "tests/failing/failing.h"
#include "tests/support/support.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct cg_coro *tester; /* the coroutine whose allocations never fail */
static int left = -1;          /* allocations of the others until one fails */
static bool outside;           /* allocations outside coroutines count, too */
static bool once_failed;

bool failing_now(enum failing_what what)
{
    bool failing = tester != NULL && (outside || cg_coro_self() != NULL) &&
                   cg_coro_self() != tester && left >= 0 && left-- == 0;

    (void)what;
    once_failed |= failing;
    return failing;
}

static struct cg_http_server *server;
static struct cg_sock *listener;
static char addr[CG_ADDR_SIZE];

static void log_line(void *arg, const char *line)
{
    (void)arg;
    (void)line;
}

static ssize_t serve(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_serve(server, listener));
}

/* Uses every part of a request and of a response. */
static ssize_t all(struct cg_http_request *req, void *arg)
{
    char *data;
    ssize_t n = cg_yield(cg_http_read_body(req, &data));

    (void)arg;
    if (n < 0)
        return n;
    cg_http_request_query(req, "q");
    n = cg_http_response_set_header(req, "A", cg_http_request_param(req, "id"));
    return n < 0 ? n : cg_yield(cg_http_respond(req, 201, data, strlen(data)));
}

/* So long that the list of fields has to grow for the next field but one. */
static char pad[951];

static ssize_t big(struct cg_http_request *req, void *arg)
{
    static char words[5000];

    (void)arg;
    memset(words, 'x', sizeof words - 1);
    cg_http_response_set_header(req, "Pad", pad);
    return cg_yield(cg_http_send_text(req, 200, words));
}

static ssize_t stream(struct cg_http_request *req, void *arg)
{
    ssize_t n = cg_http_response_set_header(req, "Content-Type", "text/plain");

    (void)arg;
    for (int i = 0; i < 3 && n >= 0; i++)
        n = cg_yield(cg_http_write(req, "piece", 5));
    if (n >= 0)
        n = cg_http_response_add_trailer(req, "T", "u");
    return n;
}

/* If a body cannot be compressed for lack of memory, the response that replaces it has no
 * content coding. */
static ssize_t falls_back(struct cg_http_request *req, void *arg)
{
    ssize_t n = cg_http_response_set_header(req, "Content-Type", "text/plain");

    (void)arg;
    if (n == 0)
        n = cg_yield(cg_http_write(req, "piece", 5));
    return n >= 0 ? n : cg_yield(cg_http_send_text(req, 200, "instead"));
}

static ssize_t event(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_send_event(req, .data = "one\ntwo", .id = "3"));
}

static ssize_t naps(struct cg_http_request *req, void *arg)
{
    (void)arg;
    cg_yield(cg_sleep(CG_SECOND));
    return cg_yield(cg_http_send_text(req, 200, "good morning"));
}

#define V " HTTP/1.1\r\nHost: x\r\n"

enum { REQUESTS = 12 };

static const char requests[] =
    "GET /falls_back" V "Accept-Encoding: gzip\r\n\r\n"
    "GET /files/hello.txt" V "Range: bytes=1-\r\n\r\n"
    "GET /big" V "Accept-Encoding: gzip\r\n\r\n"
    "GET /big" V "Accept-Encoding: br\r\n\r\n"
    "POST /all/7?q=%41" V "Transfer-Encoding: chunked\r\n\r\n"
    "3\r\nabc\r\n3\r\ndef\r\n0\r\nT: u\r\n\r\n"
    "GET /stream" V "Accept-Encoding: gzip\r\n\r\n"
    "GET /stream" V "Accept-Encoding: br\r\n\r\n"
    "GET /event" V "\r\nGET /none" V "\r\nOPTIONS /all/1" V "\r\n"
    "GET /naps" V "\r\nGET /naps" V "Connection: close\r\n\r\n";

static char got[64 * 1024];

/* Sends a text and reads until the server closes or a timeout. -EPIPE and the like count as
 * an end. */
static size_t ask(const char *text)
{
    struct cg_sock *sock;
    size_t size = 0;
    ssize_t n;

    OK(cg_yield(cg_connect(addr, &sock)));
    n = cg_yield(cg_writeall(sock, text, strlen(text)));
    while (n > 0 && size < sizeof got - 1) {
        n = cg_yield(cg_read(sock, got + size, sizeof got - 1 - size, .timeout = CG_MINUTE));
        size += n > 0 ? (size_t)n : 0;
    }
    ck_assert_int_ne(n, -ETIMEDOUT);
    got[size] = '\0';
    cg_sock_close(sock);
    return size;
}

/* Whether the response that contains at has a field. */
static bool has_field(const char *at, const char *field)
{
    const char *head = at, *found;

    while (strncmp(head, "HTTP/1.1 ", 9) != 0)
        head--;
    found = memmem(head, (size_t)(at - head), field, strlen(field));
    return found != NULL;
}

/* No response lacks a field without which it has another meaning. */
static void check_fields(size_t size)
{
    const char *at = memmem(got, size, "instead", 7), *end = got + size;

    ck_assert(at == NULL || !has_field(at, "Content-Encoding"));
    for (at = got; (at = memmem(at, (size_t)(end - at), "\x1f\x8b\b", 3)) != NULL; at++)
        ck_assert(has_field(at, "Content-Encoding: gzip"));
    at = memmem(got, size, "ello\n", 5);
    ck_assert(at == NULL || has_field(at, "Content-Range: bytes 1-5/6"));
}

/* Checks that each status is that of a request that succeeded, or of a server that had no
 * memory. */
static int check_answers(size_t size)
{
    const char *at = got, *end = got + size;
    int count = 0, status;

    while ((at = memmem(at, (size_t)(end - at), "HTTP/1.1 ", 9)) != NULL) {
        status = atoi(at += 9);
        ck_assert_msg(status == 200 || status == 201 || status == 204 ||
                          status == 206 || status == 404 || status == 500 ||
                          status == 503,
                      "answered %d", status);
        count++;
    }
    return count;
}

static char root[] = "/tmp/cogen-XXXXXX", file[64];

/* Makes a directory with a file. The other fields of its response leave no room for
 * Content-Range. */
static struct cg_http_files *make_files(void)
{
    static char cache[721];
    struct cg_http_files *files;
    FILE *out;

    memset(cache, 'x', sizeof cache - 1);
    ck_assert_ptr_nonnull(mkdtemp(root));
    snprintf(file, sizeof file, "%s/hello.txt", root);
    out = fopen(file, "w");
    ck_assert_ptr_nonnull(out);
    fputs("hello\n", out);
    fclose(out);
    OK(cg_http_files_open(root, &(struct cg_http_files_options){.cache = cache}, &files));
    return files;
}

/* A new server, which has GET /big. */
static struct cg_http_server *new_server(void)
{
    struct cg_http_server *made = cg_http_server_new(.log = log_line);

    ck_assert_ptr_nonnull(made);
    OK(cg_http_server_mount(made, "GET /big", big, NULL));
    return made;
}

/* Starts the server, and makes its allocation number `failure` from now on fail. */
static struct cg_coro *begin_failing(int failure)
{
    struct cg_coro *serving;

    listener = test_listen(addr);
    serving = test_start(serve, NULL);
    OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    once_failed = false;
    left = failure;
    return serving;
}

/* Checks that the server, when no allocation fails any more, still serves and ends without
 * an error. */
static void end_failing(struct cg_coro *serving, int failure)
{
    left = -1;
    ask("GET /big" V "Connection: close\r\n\r\n");
    ck_assert_msg(strncmp(got, "HTTP/1.1 200 ", 13) == 0, "after failure %d: %s", failure,
                  got);
    IS(cg_yield(cg_http_shutdown(server, .timeout = CG_SECOND)), 0);
    IS(test_end(serving), 0);
    cg_http_server_free(server);
    cg_sock_close(listener);
}

static ssize_t each_allocation(void *arg)
{
    int failure, answers = 0, cut = 0;
    struct cg_http_files *files = make_files();
    size_t size;

    (void)arg;
    memset(pad, 'x', sizeof pad - 1);
    tester = cg_coro_self();
    once_failed = true;
    for (failure = 0; once_failed && failure < 500; failure++) {
        struct cg_coro *serving;

        server = new_server();
        OK(cg_http_server_mount(server, "POST /all/:id", all, NULL));
        OK(cg_http_server_mount(server, "GET /stream", stream, NULL));
        OK(cg_http_server_mount(server, "GET /event", event, NULL));
        OK(cg_http_server_mount(server, "GET /falls_back", falls_back, NULL));
        OK(cg_http_server_mount(server, "GET /files/", cg_http_files_handler, files));
        OK(cg_http_server_mount(server, "GET /naps", naps, NULL));
        serving = begin_failing(failure);
        size = ask(requests);
        check_fields(size);
        answers = check_answers(size);
        cut += answers < REQUESTS;
        end_failing(serving, failure);
    }
    ck_assert(!once_failed);
    IS(answers, REQUESTS); /* no allocation was left to fail */
    cg_http_files_close(files);
    OK(unlink(file));
    OK(rmdir(root));
    ck_assert_int_gt(failure, 20);
    ck_assert_int_gt(cut, 3);
    return 0;
}

/* Makes a connection without allocations of the library. */
static int connected(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    in.sin_port = htons((uint16_t)atoi(strrchr(addr, ':') + 1));
    IS(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    return fd;
}

/* Without memory for a new connection the server closes that connection, and goes on. */
static ssize_t accepts_without_memory(void *arg)
{
    int failure, failures = 0;

    (void)arg;
    tester = cg_coro_self();
    outside = once_failed = true;
    for (failure = 0; once_failed && failure < 100; failure++) {
        struct cg_coro *serving;
        int fd;

        server = new_server();
        serving = begin_failing(failure);
        fd = connected();
        for (int i = 0; i < 20; i++)
            IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
        failures += once_failed;
        close(fd);
        end_failing(serving, failure);
    }
    ck_assert(!once_failed);
    ck_assert_int_gt(failures, 0);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(each_allocation, .where = ON_SIM),
        CORO(accepts_without_memory, .where = ON_KERNEL),
    };

    return test_main("http_shortage", cases, COUNT(cases));
}
