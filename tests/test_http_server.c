/* SPDX-License-Identifier: MIT */
/* The HTTP server, spoken to in plain bytes: what it answers, in which order, how it frames
 * what it is given and frames what it says, its limits and its clocks. On every reactor; the
 * clocks in virtual time. */
#include "config.h"

#include <cogen/http_server.h>

#include "http/decode.h"
#include "tests/closing.h"
#include "tests/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A server, its listener and the coroutine that serves. */
static struct cg_http_server *server;
static struct cg_sock *listener;
static struct cg_coro *serving;
static char addr[CG_ADDR_SIZE];
static char logged[512];
static unsigned handled;

static void log_line(void *arg, const char *line)
{
    (void)arg;
    snprintf(logged, sizeof logged, "%s", line);
}

static ssize_t serve(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_serve(server, listener));
}

/* ---- Handlers -------------------------------------------------------------------- */

static ssize_t hello(struct cg_http_request *req, void *arg)
{
    (void)arg;
    handled++;
    return cg_yield(cg_http_text(req, 200, "hello\n"));
}

static ssize_t typed(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(cg_http_answer(req, 200, "{}", 2, .mime = "application/json"));
}

static ssize_t floods(struct cg_http_request *req, void *arg)
{
    static char data[100 * 1024];
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_http_write(req, data, sizeof data))) >= 0)
        ;
    return n;
}

/* Tells what it was asked for. */
static ssize_t tell(struct cg_http_request *req, void *arg)
{
    char text[256];
    const char *id = cg_http_param(req, "id"), *rest = cg_http_param(req, "*");
    const char *q = cg_http_query(req, "q");

    snprintf(text, sizeof text, "%s %s %s id=%s *=%s q=%s", (const char *)arg,
             cg_http_method(req), cg_http_path(req), id ? id : "-", rest ? rest : "-",
             q ? q : "-");
    return cg_yield(cg_http_text(req, 200, text));
}

static ssize_t echo(struct cg_http_request *req, void *arg)
{
    char buf[100];
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_http_read(req, buf, sizeof buf))) > 0)
        if ((n = cg_yield(cg_http_write(req, buf, n))) < 0)
            break;
    if (n == 0 && cg_http_headers_get(cg_http_trailers(req), "T") != NULL)
        cg_http_trailer(req, "T", cg_http_headers_get(cg_http_trailers(req), "T"));
    return n;
}

static ssize_t whole(struct cg_http_request *req, void *arg)
{
    char *data;
    ssize_t n = cg_yield(cg_http_body(req, &data, .len = (size_t)(intptr_t)arg));

    return n < 0 ? n : cg_yield(cg_http_answer(req, 201, data, n, .mime = "a/b"));
}

static ssize_t fails(struct cg_http_request *req, void *arg)
{
    if (arg != NULL)
        OK(cg_yield(cg_http_write(req, "begun", 5)));
    return -EIO;
}

static ssize_t silent(struct cg_http_request *req, void *arg)
{
    if (arg != NULL)
        cg_http_status(req, 204);
    return 0;
}

static ssize_t sleeps(struct cg_http_request *req, void *arg)
{
    (void)arg;
    handled++;
    cg_yield(cg_sleep(10 * CG_SECOND));
    return cg_yield(cg_http_text(req, 200, "slept\n"));
}

/* Until the test lets it go on. */
static ssize_t held(struct cg_http_request *req, void *arg)
{
    (void)arg;
    handled++;
    cg_yield(cg_wait_signal(&handled, NULL));
    return cg_yield(cg_http_text(req, 200, "held\n"));
}

/* A text that nobody knows the length of: a piece that goes out at once, and, after a wait,
 * many that need not, a file and an end. */
static ssize_t drop_by_drop(struct cg_http_request *req, void *arg)
{
    static const char words[] = "a word, and ";
    FILE *file = tmpfile();

    OK(cg_http_set(req, "Content-Type", arg));
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
    OK(cg_yield(cg_http_event(req, .data = "one\ntwo\r\n", .event = "e", .id = "7")));
    IS(cg_yield(cg_http_event(req, .event = "a\nb")), -EINVAL);
    OK(cg_yield(cg_http_event(req, .retry = 3 * CG_SECOND)));
    return cg_yield(cg_http_event(req));
}

/* Whether the fields that are the server's to say can be forged. */
static ssize_t forges(struct cg_http_request *req, void *arg)
{
    (void)arg;
    IS(cg_http_set(req, "A", "b\r\nC: d"), -EINVAL);
    OK(cg_http_set(req, "Transfer-Encoding", "x"));
    OK(cg_http_set(req, "Content-Length", "5"));
    OK(cg_http_add(req, "A", "b"));
    OK(cg_http_add(req, "A", "c"));
    IS(cg_yield(cg_http_write(req, "123", 3)), 3);
    IS(cg_http_set(req, "A", "late"), -EALREADY);
    IS(cg_yield(cg_http_text(req, 200, "late")), -EALREADY);
    IS(cg_yield(cg_http_write(req, "123", 3)), -EMSGSIZE);
    return cg_yield(cg_http_write(req, "45", 2));
}

static ssize_t promises(struct cg_http_request *req, void *arg)
{
    (void)arg;
    OK(cg_http_set(req, "Content-Length", "5"));
    return cg_yield(cg_http_write(req, "123", 3));
}

static ssize_t takes_over(struct cg_http_request *req, void *arg)
{
    struct cg_sock *sock;
    char line[64];
    ssize_t n;

    OK(cg_http_set(req, "Upgrade", "x"));
    OK(cg_http_set(req, "Connection", "Upgrade"));
    OK(cg_yield(cg_http_upgrade(req, (int)(intptr_t)arg, &sock)));
    n = OK(cg_yield(cg_readline(sock, line, sizeof line)));
    OK(cg_yield(cg_writeall(sock, line, n)));
    cg_close(sock);
    return 0;
}

/* Says things before it answers. */
static ssize_t hints(struct cg_http_request *req, void *arg)
{
    static const struct cg_http_field fields[] = {{"Link", "</a>"}, {"X", "y"}, {NULL, NULL}};
    static const struct cg_http_field forged[] = {{"A", "b\r\nC: d"}, {NULL, NULL}};
    static const struct cg_http_field framed[] = {{"content-length", "5"}, {NULL, NULL}};

    (void)arg;
    IS(cg_yield(cg_http_interim(req, 101, NULL)), -EINVAL);
    IS(cg_yield(cg_http_interim(req, 200, NULL)), -EINVAL);
    IS(cg_yield(cg_http_interim(req, 103, forged)), -EINVAL);
    IS(cg_yield(cg_http_interim(req, 103, framed)), -EINVAL);
    IS(cg_yield(cg_http_interim(req, 103, fields)), 0);
    IS(cg_yield(cg_http_interim(req, 100, NULL)), 0);
    OK(cg_yield(cg_http_text(req, 200, "hello\n")));
    IS(cg_yield(cg_http_interim(req, 103, NULL)), -EALREADY);
    return 0;
}

static ssize_t text(struct cg_http_request *req, void *arg)
{
    static char words[3000];

    memset(words, 'x', sizeof words - 1);
    return cg_yield(cg_http_text(req, 200, words, .mime = arg));
}

/* ---- The other end --------------------------------------------------------------- */

static void begin(const struct cg_http_server_options *options)
{
    struct cg_http_server_options all = {.log = log_line};
    struct {
        const char *pattern;
        cg_http_handler *handler;
        void *arg;
    } mounts[] = {
        {"GET /", hello, NULL},          {"POST /echo", echo, NULL},
        {"/whole", whole, NULL},         {"/whole10", whole, (void *)10},
        {"GET /fails", fails, NULL},     {"GET /fails/late", fails, "late"},
        {"/silent", silent, NULL},       {"/nothing", silent, "204"},
        {"GET /sleeps", sleeps, NULL},   {"GET /held", held, NULL},
        {"GET /events", events, NULL},   {"GET /floods", floods, NULL},
        {"GET /drops", drop_by_drop, "text/html"}, {"GET /drops/image", drop_by_drop, "image/png"},
        {"GET /hints", hints, NULL},
        {"GET /forges", forges, NULL},   {"GET /promises", promises, NULL},
        {"GET /up", takes_over, (void *)101}, {"GET /typed", typed, NULL},
        {"GET /text", text, "text/plain"}, {"GET /binary", text, "image/png"},
        {"GET /u/:id", tell, "one"},     {"GET /u/me", tell, "me"},
        {"GET /u/:id/x/", tell, "beneath"}, {"PUT /u/:id", tell, "put"},
        {"POST /only/$", tell, "only"},
    };

    if (options != NULL) {
        all = *options;
        all.log = log_line;
    }
    handled = 0;
    logged[0] = '\0';
    server = cg_http_server_create(&all);
    for (size_t i = 0; i < COUNT(mounts); i++)
        OK(cg_http_mount(server, mounts[i].pattern, mounts[i].handler, mounts[i].arg));
    listener = test_listen(addr);
    serving = test_start(serve, NULL);
}

static void end(void)
{
    IS(cg_yield(cg_http_shutdown(server, .timeout = CG_SECOND)), 0);
    IS(test_end(serving), 0);
    ck_assert_uint_eq(cg_http_connections(server), 0);
    cg_http_server_free(server);
    cg_close(listener);
}

static struct cg_sock *client(void)
{
    struct cg_sock *sock;

    OK(cg_yield(cg_connect(addr, &sock)));
    return sock;
}

static void send_text(struct cg_sock *sock, const char *text)
{
    OK(cg_yield(cg_writeall(sock, text, strlen(text))));
}

static char got[64 * 1024];
static unsigned dates; /* fields called Date that were in it */

/* Reads to the end of the stream, or until `stop` has come; without Server and Date. */
static const char *receive(struct cg_sock *sock, const char *stop)
{
    size_t size = 0;
    ssize_t n = 1;
    char *at;

    got[0] = '\0';
    dates = 0;
    while (n > 0 && !(stop && strstr(got, stop))) {
        n = OK(cg_yield(cg_read(sock, got + size, sizeof got - 1 - size,
                                .timeout = 100 * CG_SECOND)));
        size += (size_t)n;
        got[size] = '\0';
    }
    while ((at = strstr(got, "Server: cogen/")) != NULL ||
           (at = strstr(got, "Date: ")) != NULL) {
        char *next = strchr(at, '\n') + 1;

        dates += *at == 'D';
        memmove(at, next, strlen(next) + 1);
    }
    return got;
}

/* All that is answered to a text by a server that then closes. */
static const char *ask(const char *text)
{
    struct cg_sock *sock = client();

    send_text(sock, text);
    receive(sock, NULL);
    cg_close(sock);
    return got;
}

/* Its status alone. */
static int status_of(const char *text)
{
    int status = 0;

    ask(text);
    sscanf(got, "HTTP/1.1 %d ", &status);
    return status;
}

#define H "Host: x\r\n"
#define CLOSE "Connection: close\r\n"
#define V " HTTP/1.1\r\n" H
#define PLAIN_TYPE "Content-Type: text/plain; charset=utf-8\r\n"
#define HELLO "HTTP/1.1 200 OK\r\n" PLAIN_TYPE "Content-Length: 6\r\n"
#define TYPED "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"

/* The body of an answer in chunks, as far as it is in got: its length, in `body`. */
static size_t unchunk(size_t size, char *body)
{
    const char *at = memmem(got, size, "\r\n\r\n", 4), *end = got + size;
    size_t length = 0;

    for (at = at ? at + 4 : end; at < end && memmem(at, (size_t)(end - at), "\r\n", 2);) {
        char *next;
        size_t chunk = strtoul(at, &next, 16);

        next += 2;
        if ((size_t)(end - next) < chunk)
            break;
        memcpy(body + length, next, chunk);
        length += chunk;
        at = next + chunk + 2;
    }
    return length;
}

/* What a body comes to, decoded as far as it goes. "": nothing says how. */
static size_t decode(const char *coding, const char *body, size_t size, char *to, size_t room)
{
    struct cg__decoder *decoder;
    size_t done = 0;
    ssize_t n;

    if (coding[0] == '\0') {
        memcpy(to, body, size);
        return size;
    }
    OK(cg__decoder_new(&decoder, coding));
    for (;;) {
        size_t part = size < CG__DECODE_INPUT ? size : CG__DECODE_INPUT;

        while ((n = cg__decoder_read(decoder, to + done, room - done)) > 0)
            done += (size_t)n;
        IS(n, 0);
        if (part == 0)
            break;
        cg__decoder_give(decoder, body, part);
        body += part;
        size -= part;
    }
    cg__decoder_free(decoder);
    return done;
}

/* ---- What is answered ------------------------------------------------------------ */

/* Requests on one connection are answered in order, also if they come in one packet. */
static ssize_t keeps_alive(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    begin(NULL);
    ck_assert_str_eq(ask("GET /" V "\r\nHEAD /" V "\r\n\r\nGET /" V CLOSE "\r\nGET /" V "\r\n"),
                     HELLO "\r\nhello\n" HELLO "\r\n" HELLO CLOSE "\r\nhello\n");
    ck_assert_uint_eq(handled, 3);
    ck_assert_str_eq(ask("GET / HTTP/1.0\r\n\r\n"), HELLO CLOSE "\r\nhello\n");
    ck_assert_str_eq(ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                         "GET http://x HTTP/1.0\r\n\r\n"),
                     HELLO "Connection: keep-alive\r\n\r\nhello\n" HELLO CLOSE "\r\nhello\n");
    ck_assert_str_eq(ask("GET /typed" V "\r\nHEAD /typed" V "\r\nGET /typed" V "\r\n"
                         "GET /typed" V CLOSE "\r\n"),
                     TYPED "\r\n{}" TYPED "\r\n" TYPED "\r\n{}" TYPED CLOSE "\r\n{}");
    sock = client();
    for (int i = 0; i < 3; i++) {
        send_text(sock, "GET /" V "\r\n");
        ck_assert_str_eq(receive(sock, "hello\n"), HELLO "\r\nhello\n");
    }
    for (const char *p = "GET /" V "\r\n"; *p != '\0'; p++) /* a byte a packet */
        IS(cg_yield(cg_write(sock, p, 1)), 1);
    ck_assert_str_eq(receive(sock, "hello\n"), HELLO "\r\nhello\n");
    cg_close(sock);
    end();
    return 0;
}

/* The most special pattern wins; paths are decoded, but for what would part them. */
static ssize_t routes(void *arg)
{
#define BODY(request) (ask(request), strstr(got, "\r\n\r\n") + 4)
    (void)arg;
    begin(NULL);
    ck_assert_str_eq(BODY("GET /u/7" V CLOSE "\r\n"), "one GET /u/7 id=7 *=- q=-");
    ck_assert_str_eq(BODY("GET /u/me?q=a%20b+c&q=d" V CLOSE "\r\n"),
                     "me GET /u/me id=- *=- q=a b c");
    ck_assert_str_eq(BODY("GET /u/a%2fb%25?x&=&q=" V CLOSE "\r\n"),
                     "one GET /u/a%2fb% id=a%2fb% *=- q=");
    ck_assert_str_eq(BODY("GET http://x/u/7/x/y/z?a" V CLOSE "\r\n"),
                     "beneath GET /u/7/x/y/z id=7 *=y/z q=-");
    ck_assert_str_eq(BODY("PUT /u/me" V CLOSE "\r\n"), "put PUT /u/me id=me *=- q=-");
    ck_assert_str_eq(BODY("POST /only/" V CLOSE "\r\n"), "only POST /only/ id=- *=- q=-");
    IS(status_of("POST /only/x" V CLOSE "\r\n"), 405); /* GET / has it */
    IS(status_of("DELETE /u/7" V CLOSE "\r\n"), 405);
    ck_assert_ptr_nonnull(strstr(got, "\r\nAllow: GET, HEAD, PUT\r\n"));
    IS(status_of("OPTIONS /u/7" V CLOSE "\r\n"), 204);
    ck_assert_ptr_nonnull(strstr(got, "\r\nAllow: GET, HEAD, PUT\r\n"));
    IS(status_of("OPTIONS *" V CLOSE "\r\n"), 204);
    IS(status_of("CONNECT x:80" V "\r\n"), 404);
    IS(status_of("GET /%zz" V "\r\n"), 400);
    IS(status_of("GET /%00" V "\r\n"), 400);
    OK(cg_http_mount(server, "GET /only/", tell, "beneath"));
    ck_assert_str_eq(BODY("POST /only/" V CLOSE "\r\n"), "only POST /only/ id=- *=- q=-");
    ck_assert_str_eq(BODY("GET /only/" V CLOSE "\r\n"), "beneath GET /only/ id=- *= q=-");
    ck_assert_str_eq(BODY("GET /only/x" V CLOSE "\r\n"), "beneath GET /only/x id=- *=x q=-");
    ck_assert_str_eq(BODY("GET /u/:id" V CLOSE "\r\n"), "one GET /u/:id id=:id *=- q=-");
    IS(cg_http_mount(server, "u", hello, NULL), -EINVAL);
    IS(cg_http_mount(server, "GET /u/:", hello, NULL), -EINVAL);
    IS(cg_http_mount(server, "GET /u/:other", hello, NULL), -EEXIST);
    end();
    return 0;
}

/* Each of many paths has its own handler, in whatever order they were mounted. */
static ssize_t many_routes(void *arg)
{
    enum { MANY = 200, STEP = 77 };
    static char names[MANY][16], asked[MANY * 40];
    char *to = asked, line[64];
    const char *at;

    (void)arg;
    begin(NULL);
    for (int i = 0, k = 0; i < MANY; i++, k = (k + STEP) % MANY) {
        snprintf(names[k], sizeof names[k], "GET /many/%d", k);
        OK(cg_http_mount(server, names[k], tell, names[k]));
    }
    for (int i = 0; i < MANY; i++)
        to += sprintf(to, "GET /many/%d" V "%s\r\n", i, i == MANY - 1 ? CLOSE : "");
    at = ask(asked);
    for (int i = 0; i < MANY; i++) {
        snprintf(line, sizeof line, "\r\n\r\nGET /many/%d GET /many/%d id=-", i, i);
        at = strstr(at, line);
        ck_assert_msg(at != NULL, "%s", line);
    }
    end();
    return 0;
}

/* Everything to one handler, as a proxy has it: what others have said is handed on, and a
 * CONNECT is a tunnel afterwards, with nothing about a body. */
static ssize_t hands_on(struct cg_http_request *req, void *arg)
{
    struct cg_sock *sock;
    char text[64];

    (void)arg;
    OK(cg_http_set(req, "Server", "another"));
    if (strcmp(cg_http_method(req), "CONNECT") == 0) {
        OK(cg_yield(cg_http_upgrade(req, 200, &sock)));
        OK(cg_yield(cg_writeall(sock, "tunnel", 6)));
        cg_close(sock);
        return 0;
    }
    OK(cg_http_set(req, "date", "today"));
    snprintf(text, sizeof text, "%s %s", cg_http_method(req), cg_http_target(req));
    return cg_yield(cg_http_text(req, 200, text, .mime = "a/b"));
}

static ssize_t proxies(void *arg)
{
    (void)arg;
    begin(NULL);
    OK(cg_http_mount(server, "PATCH *", hello, NULL));
    OK(cg_http_mount(server, "*", hands_on, NULL));
    IS(cg_http_mount(server, "*", hello, NULL), -EEXIST);
    IS(cg_http_mount(server, "*a", hello, NULL), -EINVAL);
    IS(status_of("GET /u/7" V CLOSE "\r\n"), 200);
    ck_assert_ptr_null(strstr(got, "Server: another\r\n"));
    IS(status_of("DELETE /u/7" V CLOSE "\r\n"), 200);
    ck_assert_str_eq(BODY("OPTIONS *" V CLOSE "\r\n"), "OPTIONS *");
    ck_assert_str_eq(strstr(got, "\r\n"),
                     "\r\nContent-Type: a/b\r\nContent-Length: 9\r\nServer: another\r\n"
                     "date: today\r\nConnection: close\r\n\r\nOPTIONS *");
    ck_assert_uint_eq(dates, 0);
    ck_assert_str_eq(BODY("PATCH *" V CLOSE "\r\n"), "hello\n");
    ck_assert_str_eq(BODY("CONNECT x:80" V "\r\n"), "tunnel");
    ck_assert_ptr_null(strstr(got, "Transfer-Encoding"));
    ck_assert_ptr_null(strstr(got, "Connection"));
    ck_assert_uint_eq(dates, 1);
    end();
    return 0;
}

/* A body is read as it comes, whole or to its limit; what is left unread is read away. */
static ssize_t bodies(void *arg)
{
#define WHOLE(n, body)                                                                     \
    "HTTP/1.1 201 Created\r\nContent-Type: a/b\r\nContent-Length: " n "\r\n" CLOSE "\r\n" body
    (void)arg;
    begin(NULL);
    ck_assert_str_eq(ask("POST /whole" V CLOSE "Content-Length: 5\r\n\r\nhello"),
                     WHOLE("5", "hello"));
    ck_assert_str_eq(ask("POST /whole" V CLOSE "\r\n"), WHOLE("0", ""));
    ck_assert_str_eq(ask("POST /whole" V CLOSE "Transfer-Encoding: chunked\r\n\r\n"
                         "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: u\r\n\r\n"),
                     WHOLE("5", "hello"));
    ck_assert_str_eq(ask("POST /echo" V CLOSE "Transfer-Encoding: chunked\r\n\r\n"
                         "2\r\nhe\r\n3\r\nllo\r\n0\r\nT: u\r\n\r\n"),
                     CHUNKED CLOSE "\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nT: u\r\n\r\n");
    ck_assert_str_eq(ask("POST /echo HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"),
                     "HTTP/1.1 200 OK\r\n" CLOSE "\r\nhello");
    ck_assert_str_eq(ask("GET /" V "Content-Length: 5\r\n\r\nhelloGET /" V CLOSE "\r\n"),
                     HELLO "\r\nhello\n" HELLO CLOSE "\r\nhello\n");
    IS(status_of("POST /whole10" V "Content-Length: 11\r\n\r\n12345678901"), 413);
    IS(status_of("POST /whole10" V "Transfer-Encoding: chunked\r\n\r\n"
                 "6\r\n123456\r\n6\r\n123456\r\n0\r\n\r\n"), 413);
    IS(status_of("POST /whole" V "Transfer-Encoding: chunked\r\n\r\nx\r\n"), 400);
    IS(status_of("POST /whole" V "Content-Length: 1048577\r\n\r\n"), 413);
    end();
    return 0;
}

/* A client that waits for 100 gets it when its body is asked for, and not before. */
static ssize_t continues(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    begin(NULL);
    sock = client();
    send_text(sock, "POST /whole" V CLOSE "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    ck_assert_str_eq(receive(sock, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    send_text(sock, "ok");
    ck_assert_str_eq(receive(sock, NULL), WHOLE("2", "ok"));
    cg_close(sock);
    sock = client();
    send_text(sock, "GET /" V "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    ck_assert_str_eq(receive(sock, NULL), HELLO "\r\nhello\n");
    cg_close(sock);
    IS(status_of("GET /" V "Content-Length: 2\r\nExpect: tea\r\n\r\n"), 417);
    end();
    return 0;
}

/* What a handler says before its answer goes out at once, behind the answers before it; not
 * to those who would take it for the answer. */
static ssize_t interim(void *arg)
{
    static const char said[] = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX: y\r\n\r\n"
                               "HTTP/1.1 100 Continue\r\n\r\n" HELLO;
    const char *at;

    (void)arg;
    begin(NULL);
    at = strstr(ask("GET /" V "\r\nGET /hints" V CLOSE "\r\n"), "hello\nHTTP");
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(strncmp(at + 6, said, sizeof said - 1), 0);
    ck_assert_ptr_null(strstr(ask("GET /hints HTTP/1.0\r\n\r\n"), "Hints"));
    ck_assert_int_eq(strncmp(got, "HTTP/1.1 200", 12), 0);
    end();
    return 0;
}

/* A failing handler is a 500 that does not tell why; the log does. */
static ssize_t failures(void *arg)
{
    (void)arg;
    begin(NULL);
    IS(status_of("GET /fails" V CLOSE "\r\n"), 500);
    ck_assert_ptr_null(strstr(got, "output"));
    ck_assert_str_eq(logged, "GET /fails: Input/output error");
    ck_assert_str_eq(ask("GET /fails/late" V "\r\n"), CHUNKED "\r\n5\r\nbegun\r\n");
    ck_assert_str_eq(logged, "GET /fails/late: Input/output error");
    IS(status_of("GET /silent" V CLOSE "\r\n"), 500);
    ck_assert_str_eq(logged, "GET /silent: the handler has not answered");
    ck_assert_str_eq(ask("GET /nothing" V CLOSE "\r\n"),
                     "HTTP/1.1 204 No Content\r\n" CLOSE "\r\n");
    ck_assert_str_eq(ask("GET /promises" V "\r\n"),
                     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123");
    ck_assert_str_eq(ask("GET /forges" V CLOSE "\r\n"),
                     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\nA: c\r\n" CLOSE
                     "\r\n12345");
    end();
    return 0;
}

static ssize_t streams(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    begin(NULL);
    ck_assert_str_eq(
        BODY("GET /events HTTP/1.0\r\n\r\n"),
        "event: e\nid: 7\ndata: one\ndata: two\ndata: \n\nretry: 3000\n\n:\n\n");
    ck_assert_ptr_nonnull(strstr(got, "Content-Type: text/event-stream\r\n"));
    sock = client();
    send_text(sock, "GET /up" V "Connection: upgrade\r\nUpgrade: x\r\n\r\nother words\n");
    ck_assert_str_eq(receive(sock, NULL),
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                     "Connection: Upgrade\r\n\r\nother words\n");
    cg_close(sock);
    ck_assert_uint_eq(cg_http_connections(server), 0);
    end();
    return 0;
}

/* Answers to requests that come together are all sent, whatever room their gathering leaves
 * for the last, and it is what it would be alone. */
static ssize_t fills_up(void *arg)
{
    static char asked[1024];
    const char *at;

    (void)arg;
    begin(NULL);
    for (int texts = 0; texts < 6; texts++)
        for (int hellos = 0; hellos < 8; hellos++) {
            asked[0] = '\0';
            for (int i = 0; i < texts; i++)
                strcat(asked, "GET /binary" V "\r\n");
            for (int i = 0; i < hellos; i++)
                strcat(asked, "GET /" V "\r\n");
            strcat(asked, "GET /forges" V CLOSE "\r\n");
            at = ask(asked);
            for (int i = 0; i < texts; i++) {
                at = strstr(at, "\r\n\r\nxxx");
                ck_assert_ptr_nonnull(at);
                at += 4;
                ck_assert_uint_eq(strspn(at, "x"), 2999);
                at += 2999;
            }
            for (int i = 0; i < hellos; i++, at += strlen(HELLO "\r\nhello\n"))
                ck_assert_int_eq(strncmp(at, HELLO "\r\nhello\n", strlen(HELLO) + 8), 0);
            ck_assert_str_eq(at, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\nA: c\r\n" CLOSE
                                 "\r\n12345");
        }
    end();
    return 0;
}

/* Text above a size is compressed for those who want that, and is what it was. */
static ssize_t compresses(void *arg)
{
    (void)arg;
    begin(NULL);
    ask("GET /text" V CLOSE "Accept-Encoding: gzip, br;q=0\r\n\r\n");
    if (strstr(got, "Content-Encoding: gzip") == NULL)
        printf("SKIP gzip: not built in\n");
    ck_assert_ptr_nonnull(strstr(got, "Vary: Accept-Encoding"));
    ask("GET /text" V CLOSE "\r\n");
    ck_assert_ptr_null(strstr(got, "Content-Encoding"));
    ck_assert_ptr_nonnull(strstr(got, "Content-Length: 2999"));
    ask("GET /text" V CLOSE "Accept-Encoding: gzip;q=0, identity\r\n\r\n");
    ck_assert_ptr_null(strstr(got, "Content-Encoding"));
    ask("GET /binary" V CLOSE "Accept-Encoding: gzip, br\r\n\r\n");
    ck_assert_ptr_null(strstr(got, "Content-Encoding"));
    end();
    return 0;
}

/* ---- Limits and clocks ----------------------------------------------------------- */

static ssize_t limits(void *arg)
{
    struct cg_sock *first, *second;
    struct cg_coro *waiter;

    (void)arg;
    (void)waiter;
    begin(&(struct cg_http_server_options){.target_limit = 20, .headers_limit = 60,
                                           .headers_count = 3, .body_limit = 8,
                                           .requests = 2, .connections = 1});
    IS(status_of("GET /2345678901234567890" V CLOSE "\r\n"), 200);
    IS(status_of("GET /23456789012345678901" V CLOSE "\r\n"), 414);
    IS(status_of("GET /" V "A: b\r\nB: c\r\nC: d\r\n\r\n"), 431);
    IS(status_of("GET /" V "A: 3456789012345678901234567890123456789012345678901234567890\r\n\r\n"),
       431);
    IS(status_of("POST /whole" V "Content-Length: 9\r\n\r\n"), 413);
    IS(status_of("POST /whole" V "Transfer-Encoding: chunked\r\n\r\n9\r\n123456789\r\n"), 413);
    IS(status_of("GET /" V "A: b\r\n c\r\n\r\n"), 400);
    IS(status_of("FOO /" V "\r\n"), 501);
    IS(status_of("GET / HTTP/3.0\r\n\r\n"), 505);
    ck_assert_str_eq(ask("GET /" V "\r\nGET /" V "\r\nGET /" V "\r\n"),
                     HELLO "\r\nhello\n" HELLO CLOSE "\r\nhello\n");
    first = client();
    send_text(first, "GET /" V "\r\n");
    receive(first, "hello\n");
    second = client();
    send_text(second, "GET /" V CLOSE "\r\n");
    IS(cg_yield(cg_read(second, got, sizeof got, .timeout = 20 * CG_MILLISECOND)), -ETIMEDOUT);
    cg_close(first);
    ck_assert_str_eq(receive(second, NULL), HELLO CLOSE "\r\nhello\n");
    cg_close(second);
    end();
    return 0;
}

static int64_t now(void)
{
    return cg_now(cg_sched_self());
}

/* Each clock strikes at its time, neither before nor much later. */
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
    begin(&(struct cg_http_server_options){.header_timeout = 2 * CG_SECOND,
                                           .body_timeout = 3 * CG_SECOND,
                                           .idle_timeout = 5 * CG_SECOND});
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t start = now();
        struct cg_sock *sock = client();

        send_text(sock, cases[i].text);
        receive(sock, NULL);
        ck_assert_msg(strncmp(got, cases[i].want, strlen(cases[i].want)) == 0, "%zu: %s", i,
                      got);
        ck_assert_int_ge(now() - start, cases[i].after);
        ck_assert_int_le(now() - start, cases[i].after + 2 * CG_SECOND);
        cg_close(sock);
    }
    end();
    return 0;
}

/* A head that drips has the same time as one that stops. */
static ssize_t drips(void *arg)
{
    struct cg_sock *sock;
    int64_t start = now();
    const char *p = "GET / HTTP/1.1\r\nHost: x\r\nABCDEFGHIJKLMNOPQRST";

    (void)arg;
    begin(&(struct cg_http_server_options){.header_timeout = 10 * CG_SECOND});
    sock = client();
    while (now() < start + 9 * CG_SECOND) {
        IS(cg_yield(cg_write(sock, p++, 1)), 1);
        OK(cg_yield(cg_sleep(CG_SECOND)));
    }
    receive(sock, NULL);
    ck_assert_int_eq(strncmp(got, "HTTP/1.1 408 ", 13), 0);
    ck_assert_int_le(now(), start + 12 * CG_SECOND);
    cg_close(sock);
    end();
    return 0;
}

/* Who takes nothing of an answer is reset, and what had been sent to him forgotten. */
static ssize_t resets_who_does_not_read(void *arg)
{
    struct cg_sock *sock;
    ssize_t n;

    (void)arg;
    begin(&(struct cg_http_server_options){.write_timeout = 200 * CG_MILLISECOND});
    sock = client();
    send_text(sock, "GET /floods" V "\r\n");
    while (cg_http_connections(server) == 0)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    while (cg_http_connections(server) > 0)
        OK(cg_yield(cg_sleep(50 * CG_MILLISECOND)));
    while ((n = cg_yield(cg_read(sock, got, sizeof got, .timeout = 10 * CG_SECOND))) > 0)
        ;
    IS(n, -ECONNRESET);
    cg_close(sock);
    end();
    return 0;
}

static void until_handled(unsigned count)
{
    while (handled < count)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
}

/* A text of unknown length is compressed as it comes; what is to go out at once does, and
 * what may wait is no more than it has to be. */
static ssize_t compresses_drops(void *arg)
{
    static const struct {
        const char *target, *accept, *coding;
    } asked[] = {
        {"/drops", "gzip", "gzip"},      {"/drops", "br", "br"}, {"/drops", "x", ""},
        {"/drops/image", "br, gzip", ""},
    };
    static char body[sizeof got], text[100000], want[100000];
    size_t wanted = (size_t)sprintf(want, "begin, ");

    (void)arg;
    for (int i = 0; i < 3000; i++)
        wanted += (size_t)sprintf(want + wanted, "a word, and ");
    wanted += (size_t)sprintf(want + wanted, "he end.");
    begin(NULL);
    for (size_t i = 0; i < COUNT(asked); i++) {
        bool there = asked[i].coding[0] == '\0' || strstr(cg__decode_accept(), asked[i].coding);
        const char *coding = there ? asked[i].coding : "";
        struct cg_sock *sock = client();
        char request[256], field[64];
        size_t size = 0, length = 0;
        ssize_t n = 1;

        snprintf(request, sizeof request, "GET %s" V CLOSE "Accept-Encoding: %s\r\n\r\n",
                 asked[i].target, asked[i].accept);
        send_text(sock, request);
        while (n > 0 && size < sizeof got) {
            n = OK(cg_yield(cg_read(sock, got + size, sizeof got - size)));
            size += (size_t)n;
            if (length < 7 && n > 0) {
                length = decode(coding, body, unchunk(size, body), text, sizeof text);
                if (length >= 7) { /* the first piece has come; now for the others */
                    until_handled((unsigned)i + 1);
                    OK(cg_yield(cg_signal(&handled, NULL)));
                }
            }
        }
        length = unchunk(size, body);
        snprintf(field, sizeof field, "\r\nContent-Encoding: %s\r\n", coding);
        IS(memmem(got, size, field, strlen(field)) != NULL, coding[0] != '\0');
        IS(memmem(got, size, "\r\nVary: ", 8) != NULL, i < 3);
        ck_assert_uint_lt(coding[0] ? length : 0, 1500);
        IS(decode(coding, body, length, text, sizeof text), wanted);
        ck_assert_mem_eq(text, want, wanted);
        cg_close(sock);
    }
    end();
    return 0;
}

static ssize_t lets_go_on(void *arg)
{
    (void)arg;
    until_handled(1);
    return cg_yield(cg_signal(&handled, NULL));
}

/* So does curl, as a browser would. */
static ssize_t curl_decompresses_drops(void *arg)
{
    struct cg_output out = {.limit = 100000};
    struct cg_process *process;
    struct cg_coro *other;
    char script[256], want[64] = "begin, ";

    (void)arg;
    if (cg__decode_accept()[0] == '\0' || system("curl -V 2>&1 | grep -q libz") != 0) {
        printf("SKIP curl: it, or zlib, is not here\n");
        return 0;
    }
    begin(NULL);
    other = test_start(lets_go_on, NULL);
    snprintf(script, sizeof script,
             "curl -sS -m 20 --compressed -w '%%{size_download}' http://%s/drops", addr);
    OK(cg_spawn(cg_sched_self(), ((char *[]){"/bin/sh", "-c", script, NULL}), &process,
                .out = CG_STDIO_PIPE));
    IS(cg_yield(cg_communicate(process, NULL, 0, .out = &out)), 0);
    cg_process_close(process);
    IS(test_end(other), 1);
    for (int i = 0; i < 4; i++)
        strcat(want, "a word, and ");
    ck_assert_mem_eq(out.data, want, strlen(want));
    ck_assert_mem_eq(out.data + 7 + 3000 * 12, "he end.", 7);
    ck_assert_int_lt(atoi(out.data + 7 + 3000 * 12 + 7), 1500);
    free(out.data);
    end();
    return 0;
}

/* A handler that waits keeps later requests waiting, but not the answers that are ready; and
 * whoever leaves meanwhile takes all of it along. */
static ssize_t holds_nothing_back(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    begin(NULL);
    sock = client();
    send_text(sock, "GET /" V "\r\nGET /held" V "\r\nGET /held" V "\r\nGET /" V CLOSE "\r\n");
    ck_assert_str_eq(receive(sock, "hello\n"), HELLO "\r\nhello\n");
    for (unsigned n = 2; n < 4; n++) {
        until_handled(n);
        OK(cg_yield(cg_signal(&handled, NULL)));
        if (n == 2)
            ck_assert_ptr_nonnull(strstr(receive(sock, "held\n"), "\r\n\r\nheld\n"));
    }
    ck_assert_ptr_nonnull(strstr(receive(sock, NULL), "held\n" HELLO CLOSE "\r\nhello\n"));
    ck_assert_uint_eq(handled, 4);
    cg_close(sock);
    sock = client();
    send_text(sock, "GET /" V "\r\nGET /held" V "\r\n");
    until_handled(6);
    cg_close(sock);
    OK(cg_yield(cg_signal(&handled, NULL)));
    end();
    return 0;
}

/* Shutdown: an idle connection is closed, a running request is finished and told to close;
 * one that takes too long is cut. */
static ssize_t shuts_down(void *arg)
{
    for (int patient = 0; patient < 2; patient++) {
        struct cg_sock *idle, *busy;
        int64_t start;

        (void)arg;
        begin(NULL);
        idle = client();
        busy = client();
        send_text(busy, "GET /sleeps" V "\r\n");
        while (handled == 0)
            OK(cg_yield(cg_sleep(CG_MILLISECOND)));
        start = now();
        IS(cg_yield(cg_http_shutdown(server, .timeout = (patient ? 20 : 4) * CG_SECOND)),
           patient ? 0 : -ETIMEDOUT);
        IS(test_end(serving), 0);
        ck_assert_uint_eq(cg_http_connections(server), 0);
        ck_assert_int_le(now() - start, (patient ? 12 : 6) * CG_SECOND);
        ck_assert_str_eq(receive(idle, NULL), "");
        receive(busy, NULL);
        if (patient)
            ck_assert_str_eq(got, HELLO CLOSE "\r\nslept\n");
        cg_close(idle);
        cg_close(busy);
        cg_http_server_free(server);
        cg_close(listener);
    }
    return 0;
}

/* A cancelled serve ends its connections with it. */
static ssize_t cancelled(void *arg)
{
    struct cg_sock *idle, *busy;

    (void)arg;
    begin(NULL);
    idle = client();
    busy = client();
    send_text(busy, "GET /sleeps" V "\r\n");
    while (handled == 0)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    OK(cg_yield(cg_cancel(serving)));
    IS(test_end(serving), -ECANCELED);
    ck_assert_uint_eq(cg_http_connections(server), 0);
    ck_assert_str_eq(receive(idle, NULL), "");
    cg_close(idle);
    cg_close(busy);
    cg_http_server_free(server);
    cg_close(listener);
    return 0;
}

/* The combined format, with nothing in it that a client could forge a line with. */
static ssize_t access_log(void *arg)
{
    char line[512], *dash;
    FILE *file = tmpfile();

    (void)arg;
    begin(&(struct cg_http_server_options){.access_log = file});
    ask("GET /a?b" V CLOSE "User-Agent: me \"\x80\r\nReferer: you\r\n\r\n");
    ask("GARBAGE\r\n\r\n");
    end();
    rewind(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    dash = strstr(line, " - - [");
    ck_assert_ptr_nonnull(dash);
    ck_assert_str_eq(strstr(dash, "] ") + 2,
                     "\"GET /a?b HTTP/1.1\" 200 6 \"you\" \"me \\x22\\x80\"\n");
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    ck_assert_ptr_nonnull(strstr(line, "\"-\" "));
    ck_assert_ptr_null(fgets(line, sizeof line, file));
    fclose(file);
    return 0;
}

/* The listener may be closed at any time, before the op runs, in it, and while it is being
 * cancelled; that ends it, and the connections, at once. */
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
    cg_close(sock);
    return 0;
}

static void closing_open(void *arg)
{
    server = cg_http_server_new(.log = log_line);
    OK(cg_http_mount(server, "GET /held", held, NULL));
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
    cg_close(listener);
}

static void closing_end(void *arg, ssize_t answer, bool closed)
{
    (void)answer;
    ck_assert_uint_eq(cg_http_connections(server), 0);
    cg_http_server_free(server);
    if (!closed)
        cg_close(listener);
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

int main(void)
{
    static const struct test_case cases[] = {
        CORO(keeps_alive),
        CORO(routes),
        CORO(many_routes),
        CORO(proxies),
        CORO(bodies),
        CORO(continues),
        CORO(interim),
        CORO(failures),
        CORO(streams),
        CORO(fills_up),
        CORO(compresses),
        CORO(compresses_drops),
        CORO(curl_decompresses_drops, .where = ON_KERNEL),
        CORO(holds_nothing_back),
        CORO(limits),
        CORO(clocks, .where = ON_SIM),
        CORO(drips, .where = ON_SIM),
        CORO(resets_who_does_not_read),
        CORO(shuts_down, .where = ON_SIM),
        CORO(cancelled, .where = ON_SIM),
        CORO(access_log),
        CORO(closed_at_any_time),
    };

    return test_main("http server", cases, COUNT(cases));
}
