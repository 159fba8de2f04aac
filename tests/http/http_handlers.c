/* SPDX-License-Identifier: MIT */
/* The handlers of the HTTP server under test: one for each thing that a handler may do. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

ssize_t hello(struct cg_http_request *req, void *arg)
{
    (void)arg;
    handled++;
    return cg_yield(cg_http_send_text(req, 200, "hello\n"));
}

static ssize_t typed(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_respond(req, 200, "{}", 2, .mime = "application/json"));
}

static ssize_t floods(struct cg_http_request *req, void *arg)
{
    static char data[100 * 1024];
    ssize_t n;

    if (arg != NULL)
        OK(cg_http_response_set_header(req, "Content-Type", arg));
    while ((n = cg_yield(cg_http_write(req, data, sizeof data))) >= 0)
        ;
    return n;
}

/* Responds with the method, path and parameters of the request. */
ssize_t tell(struct cg_http_request *req, void *arg)
{
    char text[256];
    const char *id = cg_http_request_param(req, "id"),
               *rest = cg_http_request_param(req, "*");
    const char *q = cg_http_request_query(req, "q");

    snprintf(text, sizeof text, "%s %s %s id=%s *=%s q=%s", (const char *)arg,
             cg_http_request_method(req), cg_http_request_path(req), id ? id : "-",
             rest ? rest : "-", q ? q : "-");
    return cg_yield(cg_http_send_text(req, 200, text));
}

static ssize_t echo(struct cg_http_request *req, void *arg)
{
    char buf[100];
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_http_read(req, buf, sizeof buf))) > 0)
        if ((n = cg_yield(cg_http_write(req, buf, n))) < 0)
            break;
    if (n == 0 && cg_http_headers_get(cg_http_request_trailers(req), "T") != NULL)
        cg_http_response_add_trailer(
            req, "T", cg_http_headers_get(cg_http_request_trailers(req), "T"));
    return n;
}

static ssize_t whole(struct cg_http_request *req, void *arg)
{
    char *data;
    ssize_t n = cg_yield(cg_http_read_body(req, &data, .len = (size_t)(intptr_t)arg));

    return n < 0 ? n : cg_yield(cg_http_respond(req, 201, data, n, .mime = "a/b"));
}

static ssize_t fails(struct cg_http_request *req, void *arg)
{
    if (arg != NULL)
        OK(cg_yield(cg_http_write(req, "begun", 5)));
    return -EIO;
}

/* As if its client had left over TLS without close_notify. */
static ssize_t is_cut(struct cg_http_request *req, void *arg)
{
    (void)req, (void)arg;
    return CG_ETLS_CUT;
}

static ssize_t silent(struct cg_http_request *req, void *arg)
{
    if (arg != NULL)
        cg_http_response_set_status(req, (int)(intptr_t)arg);
    return 0;
}

/* Responds without a body, and with the length that the query says. */
static ssize_t bare(struct cg_http_request *req, void *arg)
{
    const char *length = cg_http_request_query(req, "length");

    if (length != NULL)
        OK(cg_http_response_set_header(req, "Content-Length", length));
    return cg_yield(cg_http_respond(req, (int)(intptr_t)arg, NULL, 0));
}

static ssize_t sleeps(struct cg_http_request *req, void *arg)
{
    (void)arg;
    handled++;
    cg_yield(cg_sleep(10 * CG_SECOND));
    return cg_yield(cg_http_send_text(req, 200, "slept\n"));
}

/* Waits until the test signals `handled`. */
ssize_t held(struct cg_http_request *req, void *arg)
{
    (void)arg;
    handled++;
    cg_yield(cg_wait_signal(&handled, NULL));
    return cg_yield(cg_http_send_text(req, 200, "held\n"));
}

/* Responds, and then waits until the test signals `handled`. */
static ssize_t lingers(struct cg_http_request *req, void *arg)
{
    (void)arg;
    OK(cg_yield(cg_http_send_text(req, 200, "mine\n")));
    handled++;
    return cg_yield(cg_wait_signal(&handled, NULL));
}

/* Waits until its client has left, and cleans up, for long if arg is given; `handled` counts
 * the steps. */
static ssize_t deserted(struct cg_http_request *req, void *arg)
{
    handled++;
    IS(cg_yield(cg_any((cg_wait_signal(&handled, NULL), cg_http_wait_left(req)))), 1);
    handled++;
    if (cg_yield(cg_sleep(arg ? 1000 * CG_SECOND : CG_MILLISECOND)) < 0)
        return -ECANCELED;
    IS(cg_yield(cg_http_wait_left(req, .timeout = CG_NOWAIT)), 0);
    handled++;
    return 0;
}

/* A text of unknown length: a piece that is flushed; after a wait, many that need not be; a
 * file; and an end. */
static ssize_t drop_by_drop(struct cg_http_request *req, void *arg)
{
    static const char words[] = "a word, and ";
    FILE *file = tmpfile();

    OK(cg_http_response_set_header(req, "Content-Type", arg));
    IS(cg_yield(cg_http_write(req, "begin, ", 7)), 7);
    handled++;
    cg_yield(cg_wait_signal(&handled, NULL));
    for (int i = 0; i < 3000; i++)
        IS(cg_yield(cg_http_write(req, words, sizeof words - 1, .more = true)),
           sizeof words - 1);
    IS(cg_yield(cg_http_write(req, NULL, 0)), 0);
    fputs("the end", file);
    fflush(file);
    OK(cg_yield(cg_http_send_file(req, fileno(file), 1, 6)));
    fclose(file);
    return cg_yield(cg_http_write(req, ".", 1, .more = true));
}

static ssize_t events(struct cg_http_request *req, void *arg)
{
    (void)arg;
    OK(cg_yield(
        cg_http_send_event(req, .data = "one\ntwo\r\n", .event = "e", .id = "7")));
    IS(cg_yield(cg_http_send_event(req, .event = "a\nb")), -EINVAL);
    OK(cg_yield(cg_http_send_event(req, .retry = 3 * CG_SECOND)));
    return cg_yield(cg_http_send_event(req));
}

/* Tries to set the header fields that only the server may set. */
static ssize_t forges(struct cg_http_request *req, void *arg)
{
    (void)arg;
    IS(cg_http_response_set_header(req, "A", "b\r\nC: d"), -EINVAL);
    OK(cg_http_response_set_header(req, "Transfer-Encoding", "x"));
    OK(cg_http_response_set_header(req, "Content-Length", "5"));
    OK(cg_http_response_add_header(req, "A", "b"));
    OK(cg_http_headers_add(cg_http_response_headers(req), "A", "c"));
    IS(cg_yield(cg_http_write(req, "123", 3)), 3);
    IS(cg_http_response_set_header(req, "A", "late"), -EALREADY);
    IS(cg_yield(cg_http_send_text(req, 200, "late")), -EALREADY);
    IS(cg_yield(cg_http_write(req, "123", 3)), -EMSGSIZE);
    return cg_yield(cg_http_write(req, "45", 2));
}

static ssize_t promises(struct cg_http_request *req, void *arg)
{
    (void)arg;
    OK(cg_http_response_set_header(req, "Content-Length", "5"));
    return cg_yield(cg_http_write(req, "123", 3));
}

static ssize_t takes_over(struct cg_http_request *req, void *arg)
{
    struct cg_sock *sock;
    char line[64];
    ssize_t n;

    OK(cg_http_response_set_header(req, "Upgrade", "x"));
    OK(cg_http_response_set_header(req, "Connection", "Upgrade"));
    OK(cg_yield(cg_http_upgrade(req, (int)(intptr_t)arg, &sock)));
    n = OK(cg_yield(cg_readline(sock, line, sizeof line)));
    OK(cg_yield(cg_writeall(sock, line, n)));
    cg_sock_close(sock);
    return 0;
}

/* Sends interim responses before its response. */
static ssize_t hints(struct cg_http_request *req, void *arg)
{
    static const struct cg_http_field fields[] = {{"Link", "</a>"}, {"X", "y"}, {NULL, NULL}};
    static const struct cg_http_field forged[] = {{"A", "b\r\nC: d"}, {NULL, NULL}};
    static const struct cg_http_field framed[] = {{"content-length", "5"}, {NULL, NULL}};

    (void)arg;
    IS(cg_yield(cg_http_send_interim(req, 101, NULL)), -EINVAL);
    IS(cg_yield(cg_http_send_interim(req, 200, NULL)), -EINVAL);
    IS(cg_yield(cg_http_send_interim(req, 103, forged)), -EINVAL);
    IS(cg_yield(cg_http_send_interim(req, 103, framed)), -EINVAL);
    IS(cg_yield(cg_http_send_interim(req, 103, fields)), 0);
    IS(cg_yield(cg_http_send_interim(req, 100, NULL)), 0);
    OK(cg_yield(cg_http_send_text(req, 200, "hello\n")));
    IS(cg_yield(cg_http_send_interim(req, 103, NULL)), -EALREADY);
    return 0;
}

static ssize_t text(struct cg_http_request *req, void *arg)
{
    static char words[3000];

    memset(words, 'x', sizeof words - 1);
    return cg_yield(cg_http_send_text(req, 200, words, .mime = arg));
}

void handlers_mount(struct cg_http_server *server)
{
    struct {
        const char *pattern;
        cg_http_handler *handler;
        void *arg;
    } mounts[] = {
        {"GET /", hello, NULL},          {"POST /echo", echo, NULL},
        {"/whole", whole, NULL},         {"/whole10", whole, (void *)10},
        {"GET /fails", fails, NULL},     {"GET /fails/late", fails, "late"},
        {"GET /cut", is_cut, NULL},
        {"/silent", silent, NULL},       {"/nothing", silent, (void *)204},
        {"GET /sleeps", sleeps, NULL},   {"GET /held", held, NULL},
        {"GET /lingers", lingers, NULL},
        {"GET /left", deserted, NULL},   {"GET /left/long", deserted, "long"},
        {"GET /events", events, NULL},   {"GET /floods", floods, NULL},
        {"GET /drops", drop_by_drop, "text/html"}, {"GET /drops/image", drop_by_drop, "image/png"},
        {"GET /hints", hints, NULL},
        {"/nothing/200", silent, (void *)200}, {"GET /floods/text", floods, "text/plain"},
        {"/bare", bare, (void *)200},    {"/bare/304", bare, (void *)304},
        {"GET /forges", forges, NULL},   {"GET /promises", promises, NULL},
        {"GET /up", takes_over, (void *)101}, {"GET /typed", typed, NULL},
        {"GET /text", text, "text/plain"}, {"GET /binary", text, "image/png"},
        {"GET /u/:id", tell, "one"},     {"GET /u/me", tell, "me"},
        {"GET /u/:id/x/", tell, "beneath"}, {"PUT /u/:id", tell, "put"},
        {"POST /only/$", tell, "only"},
    };

    for (size_t i = 0; i < COUNT(mounts); i++)
        OK(cg_http_server_mount(server, mounts[i].pattern, mounts[i].handler,
                                mounts[i].arg));
}
