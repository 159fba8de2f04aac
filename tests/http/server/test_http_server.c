/* SPDX-License-Identifier: MIT */
/* The HTTP server, with plain bytes: its responses, their order, and its logs. Bodies are
 * in test_http_server_body.c, limits and timeouts in test_http_server_limits.c. */
#include "config.h"

#include "tests/http/http_serve.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Requests on one connection get their responses in order, even if they come in one
 * packet. */
static ssize_t keeps_alive(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    serve_begin(NULL);
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
    sock = serve_client();
    for (int i = 0; i < 3; i++) {
        send_text(sock, "GET /" V "\r\n");
        ck_assert_str_eq(receive(sock, "hello\n"), HELLO "\r\nhello\n");
    }
    for (const char *p = "GET /" V "\r\n"; *p != '\0'; p++) /* one byte in a packet */
        IS(cg_yield(cg_write(sock, p, 1)), 1);
    ck_assert_str_eq(receive(sock, "hello\n"), HELLO "\r\nhello\n");
    cg_sock_close(sock);
    serve_end();
    return 0;
}

static ssize_t nothing(struct cg_http_request *req, void *status)
{
    return cg_yield(cg_http_respond(req, *(int *)status, NULL, 0));
}

/* A body of no bytes needs no memory. */
static ssize_t empty(void *arg)
{
    static int good = 200, bad = 400;

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/good", nothing, &good));
    OK(cg_http_server_mount(server, "/bad", nothing, &bad));
    for (int i = 0; i < 2; i++) { /* the first response of a second takes another way */
        IS(status_of("GET /good" V "\r\nGET /good" V CLOSE "\r\n"), 200);
        IS(status_of("GET /bad" V CLOSE "\r\n"), 400);
    }
    serve_end();
    return 0;
}

/* A pattern has a limited number of parts. */
static void mount_parts(void)
{
    char pattern[4 * (CG_HTTP_PARAMS_LIMIT + 1) + 1] = "";

    for (int i = 0; i < CG_HTTP_PARAMS_LIMIT; i++)
        sprintf(pattern + strlen(pattern), "/:%c", 'a' + i);
    OK(cg_http_server_mount(server, pattern, hello, NULL));
    strcat(pattern, "/:z");
    IS(cg_http_server_mount(server, pattern, hello, NULL), -EINVAL);
}

/* The most specific pattern wins. Paths are decoded, except for what would separate
 * parts. */
static ssize_t routes(void *arg)
{
    (void)arg;
    serve_begin(NULL);
    ck_assert_str_eq(BODY("GET /u/7" V CLOSE "\r\n"), "one GET /u/7 id=7 *=- q=-");
    ck_assert_str_eq(BODY("GET /u/me?q=a%20b+c&q=d" V CLOSE "\r\n"),
                     "me GET /u/me id=- *=- q=a b c");
    ck_assert_str_eq(BODY("GET /u/a%2fb%25?x&=&q=" V CLOSE "\r\n"),
                     "one GET /u/a%2Fb%25 id=a/b% *=- q=");
    ck_assert_str_eq(BODY("GET http://x/u/7/x/y/z?a" V CLOSE "\r\n"),
                     "beneath GET /u/7/x/y/z id=7 *=y/z q=-");
    ck_assert_str_eq(BODY("PUT /u/me" V CLOSE "\r\n"), "put PUT /u/me id=me *=- q=-");
    ck_assert_str_eq(BODY("POST /only/" V CLOSE "\r\n"), "only POST /only/ id=- *=- q=-");
    IS(status_of("POST /only/x" V CLOSE "\r\n"), 405); /* GET / matches */
    IS(status_of("PUT /u/" V CLOSE "\r\n"), 405); /* a part has at least one character */
    IS(status_of("DELETE /u/7" V CLOSE "\r\n"), 405);
    ck_assert_ptr_nonnull(strstr(got, "\r\nAllow: GET, HEAD, PUT\r\n"));
    IS(status_of("OPTIONS /u/7" V CLOSE "\r\n"), 204);
    ck_assert_ptr_nonnull(strstr(got, "\r\nAllow: GET, HEAD, PUT\r\n"));
    IS(status_of("OPTIONS *" V CLOSE "\r\n"), 204);
    ck_assert_ptr_null(strstr(got, "Allow"));
    IS(status_of("OPTIONS http://h" V CLOSE "\r\n"), 204);
    ck_assert_ptr_null(strstr(got, "Allow"));
    IS(status_of("OPTIONS http://h/" V CLOSE "\r\n"), 204);
    ck_assert_ptr_nonnull(strstr(got, "Allow"));
    IS(status_of("CONNECT x:80" V "\r\n"), 404);
    IS(status_of("GET /%zz" V "\r\n"), 400);
    IS(status_of("GET /%00" V "\r\n"), 400);
    OK(cg_http_server_mount(server, "GET /only/", tell, "beneath"));
    ck_assert_str_eq(BODY("POST /only/" V CLOSE "\r\n"), "only POST /only/ id=- *=- q=-");
    ck_assert_str_eq(BODY("GET /only/" V CLOSE "\r\n"), "beneath GET /only/ id=- *= q=-");
    ck_assert_str_eq(BODY("GET /only/x" V CLOSE "\r\n"), "beneath GET /only/x id=- *=x q=-");
    ck_assert_str_eq(BODY("GET /u/:id" V CLOSE "\r\n"), "one GET /u/:id id=:id *=- q=-");
    mount_parts();
    IS(cg_http_server_mount(server, "u", hello, NULL), -EINVAL);
    IS(cg_http_server_mount(server, "GET /u/:", hello, NULL), -EINVAL);
    IS(cg_http_server_mount(server, "GET /u/:other", hello, NULL), -EEXIST);
    serve_end();
    return 0;
}

#define TAIL "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* What ends a path, or has to be decoded or removed, is found wherever it stands. */
static ssize_t paths(void *arg)
{
    static const struct {
        const char *end, *path, *query;
    } cases[] = {
        {"", "%s", "-"},       {"?q=%41/.", "%s", "A/."}, {"%41", "%sA", "-"}, {"/../b", "b", "-"},
        {"/./b", "%s/b", "-"}, {"/.b", "%s/.b", "-"},     {".b", "%s.b", "-"}, {"/..?q=b", "", "b"},
        {"/..", "", "-"},      {"//b", "%s//b", "-"},     {"/...", "%s/...", "-"},
        {"/%2e%2e/b", "b", "-"}, {"/b/../..", "", "-"},
        /* Long targets are scanned by eight bytes, except for their ends. */
        {"/../" TAIL, TAIL, "-"},
        {"/./" TAIL, "%s/" TAIL, "-"},
        {"%41" TAIL, "%sA" TAIL, "-"},
        {"?q=" TAIL, "%s", TAIL},
    };

    (void)arg;
    serve_begin(NULL);
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t n = 0; n < 20; n++) {
            char part[] = "abcdefghijklmnopqrst", text[160], path[96], want[320];

            part[n] = '\0';
            snprintf(text, sizeof text, "GET /u/7/x/%s%s" V CLOSE "\r\n", part, cases[i].end);
            snprintf(path, sizeof path, cases[i].path, part);
            snprintf(want, sizeof want, "beneath GET /u/7/x/%s id=7 *=%s q=%s", path, path,
                     cases[i].query);
            ck_assert_str_eq(BODY(text), want);
        }
    serve_end();
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
    serve_begin(NULL);
    for (int i = 0, k = 0; i < MANY; i++, k = (k + STEP) % MANY) {
        snprintf(names[k], sizeof names[k], "GET /many/%d", k);
        OK(cg_http_server_mount(server, names[k], tell, names[k]));
    }
    for (int i = 0; i < MANY; i++)
        to += sprintf(to, "GET /many/%d" V "%s\r\n", i, i == MANY - 1 ? CLOSE : "");
    at = ask(asked);
    for (int i = 0; i < MANY; i++) {
        snprintf(line, sizeof line, "\r\n\r\nGET /many/%d GET /many/%d id=-", i, i);
        at = strstr(at, line);
        ck_assert_msg(at != NULL, "%s", line);
    }
    serve_end();
    return 0;
}

/* One handler for all requests, as in a proxy. Header fields of another server are passed
 * on. A CONNECT becomes a tunnel, and its response has no field about a body. */
static ssize_t hands_on(struct cg_http_request *req, void *arg)
{
    struct cg_sock *sock;
    char text[64];

    (void)arg;
    OK(cg_http_response_set_header(req, "Server", "another"));
    if (strcmp(cg_http_request_method(req), "CONNECT") == 0) {
        OK(cg_yield(cg_http_upgrade(req, 200, &sock)));
        OK(cg_yield(cg_writeall(sock, "tunnel", 6)));
        cg_sock_close(sock);
        return 0;
    }
    OK(cg_http_response_set_header(req, "date", "today"));
    snprintf(text, sizeof text, "%s %s", cg_http_request_method(req),
             cg_http_request_target(req));
    return cg_yield(cg_http_send_text(req, 200, text, .mime = "a/b"));
}

static ssize_t proxies(void *arg)
{
    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "PATCH *", hello, NULL));
    OK(cg_http_server_mount(server, "*", hands_on, NULL));
    IS(cg_http_server_mount(server, "*", hello, NULL), -EEXIST);
    IS(cg_http_server_mount(server, "*a", hello, NULL), -EINVAL);
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
    serve_end();
    return 0;
}

#define HINTS                                                                                  \
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX: y\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" HELLO

/* Interim responses of a handler are sent before its response. */
static ssize_t interim(void *arg)
{
    (void)arg;
    serve_begin(NULL);
    ck_assert_str_eq(ask("GET /hints" V CLOSE "\r\n"), HINTS CLOSE "\r\nhello\n");
    serve_end();
    return 0;
}

/* They are sent at once, after the responses before them. An HTTP/1.0 client gets none, since
 * it would take one for the final response. */
static ssize_t interim_in_order(void *arg)
{
    const char *at;

    (void)arg;
    serve_begin(NULL);
    at = strstr(ask("GET /" V "\r\nGET /hints" V CLOSE "\r\n"), "hello\nHTTP");
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(strncmp(at + 6, HINTS, strlen(HINTS)), 0);
    ck_assert_ptr_null(strstr(ask("GET /hints HTTP/1.0\r\n\r\n"), "Hints"));
    ck_assert_int_eq(strncmp(got, "HTTP/1.1 200", 12), 0);
    serve_end();
    return 0;
}

/* A handler that fails causes a 500 that does not say why. The log does, unless the client has
 * left. */
static ssize_t failures(void *arg)
{
    (void)arg;
    serve_begin(NULL);
    IS(status_of("GET /cut" V CLOSE "\r\n"), 500);
    ck_assert_str_eq(logged, "");
    IS(status_of("GET /fails" V CLOSE "\r\n"), 500);
    ck_assert_ptr_null(strstr(got, "output"));
    ck_assert_str_eq(logged, "GET /fails: Input/output error");
    IS(status_of("GET /silent" V CLOSE "\r\n"), 500);
    ck_assert_str_eq(logged, "GET /silent: the handler has not responded");
    ck_assert_str_eq(ask("GET /nothing" V CLOSE "\r\n"),
                     "HTTP/1.1 204 No Content\r\n" CLOSE "\r\n");
    ck_assert_str_eq(ask("GET /forges" V CLOSE "\r\n"),
                     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nA: b\r\nA: c\r\n" CLOSE
                     "\r\n12345");
    serve_end();
    return 0;
}

/* A response that cannot be completed is cut off. */
static ssize_t half_responses(void *arg)
{
    (void)arg;
    serve_begin(NULL);
    ck_assert_str_eq(ask("GET /fails/late" V "\r\n"), CHUNKED "\r\n5\r\nbegun\r\n");
    ck_assert_str_eq(logged, "GET /fails/late: Input/output error");
    ck_assert_str_eq(ask("GET /promises" V "\r\n"),
                     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n123");
    serve_end();
    return 0;
}

/* The combined log format. A client cannot forge a line in it. */
static ssize_t access_log(void *arg)
{
    char line[512], *dash;
    FILE *file = tmpfile();

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.access_log = file});
    ask("GET /a?b\"1\\" V CLOSE "User-Agent: me \"\x80\r\nReferer: you\r\n\r\n");
    ask("GARBAGE\r\n\r\n");
    serve_end();
    rewind(file);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    dash = strstr(line, " - - [");
    ck_assert_ptr_nonnull(dash);
    ck_assert_str_eq(strstr(dash, "] ") + 2,
                     "\"GET /a?b\\x221\\x5c HTTP/1.1\" 200 6 \"you\" \"me \\x22\\x80\"\n");
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    ck_assert_ptr_nonnull(strstr(line, "\"-\" "));
    ck_assert_ptr_null(fgets(line, sizeof line, file));
    fclose(file);
    return 0;
}

/* A reader of the access log that is slow or has gone delays no request and stops nothing. The
 * stream of the slow one is never freed, because a thread may still wait for it after the server
 * has ended. More lines come than the log and the thread hold, however many the thread has when it
 * starts. */
static ssize_t slow_log(void *arg)
{
    static char request[8 * 1024];
    static FILE *file;
    char *at = stpcpy(request, "GET /");
    int ends[2];

    (void)arg;
    memset(at, 'a', 7000);
    strcpy(at + 7000, V CLOSE "\r\n");
    for (int gone = 1; gone >= 0; gone--) {
        OK(pipe(ends));
        file = fdopen(ends[1], "w");
        ck_assert_ptr_nonnull(file);
        if (gone)
            close(ends[0]);
        serve_begin(&(struct cg_http_server_options){.access_log = file});
        for (int i = 0; i < (gone ? 10 : 400); i++)
            ck_assert_int_eq(status_of(request), 200);
        OK(cg_yield(cg_sleep(1100 * CG_MILLISECOND))); /* a thread writes, or tries to */
        ck_assert_int_eq(status_of(request), 200);
        serve_end();
        ck_assert_ptr_nonnull(strstr(logged, gone ? "cannot be written" : "lines are lost"));
        if (gone)
            fclose(file);
    }
    close(ends[0]); /* the threads that were blocked end */
    close(ends[1]);
    return 0;
}

/* The server's name is the one in the options, in the first response and in later ones. An
 * invalid value is left out, and a long one is truncated. */
static ssize_t says_its_name(void *arg)
{
    static char endless[400];
    static const struct {
        const char *name, *field;
    } names[] = {{"x y/1", "Server: x y/1\r\n"}, {"", ""}, {"a\nb", ""}, {endless, NULL}};

    (void)arg;
    memset(endless, 'x', sizeof endless - 1);
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *field = names[i].field;
        char want[1200], cut[200];

        if (field == NULL)
            snprintf(cut, sizeof cut, "Server: %.180s\r\n", endless);
        field = field ? field : cut;
        serve_begin(&(struct cg_http_server_options){.name = names[i].name});
        snprintf(want, sizeof want,
                 OKAY "%s" HELLO_REST "\r\nhello\n" OKAY "%s" HELLO_REST "\r\nhello\n" OKAY
                      "%s" HELLO_REST CLOSE "\r\nhello\n",
                 field, field, field);
        ck_assert_str_eq(ask("GET /" V "\r\nGET /" V "\r\nGET /" V CLOSE "\r\n"), want);
        serve_end();
    }
    return 0;
}

static ssize_t says_its_type(struct cg_http_request *req, void *arg)
{
    return cg_yield(cg_http_send_text(req, arg != NULL ? 404 : 200, "x",
                                      .mime = cg_http_request_query(req, "type")));
}

static ssize_t says_its_number(struct cg_http_request *req, void *arg)
{
    int64_t number;
    char text[64];
    int rc = cg_http_request_query_number(req, "n", -5, INT64_C(9000000000), 99, &number);

    (void)arg;
    snprintf(text, sizeof text, "%s %lld", rc == 0 ? "ok" : rc == -EINVAL ? "invalid" : "range",
             (long long)number);
    return cg_yield(cg_http_send_text(req, 200, text));
}

/* Numbers in the query: decimal ones within bounds, or the default. */
static ssize_t numbers(void *arg)
{
    static const struct {
        const char *query, *want;
    } asked[] = {
        {"", "ok 99"},
        {"?m=3", "ok 99"},
        {"?n=3", "ok 3"},
        {"?m=1&n=%33&n=4", "ok 3"},
        {"?n=-5", "ok -5"},
        {"?n=-0", "ok 0"},
        {"?n=007", "ok 7"},
        {"?n=9000000000", "ok 9000000000"},
        {"?n=-6", "range 99"},
        {"?n=9000000001", "range 99"},
        {"?n=99999999999999999999", "range 99"},
        {"?n=-9223372036854775808", "range 99"},
        {"?n", "invalid 99"},
        {"?n=", "invalid 99"},
        {"?n=-", "invalid 99"},
        {"?n=%2b3", "invalid 99"},
        {"?n=--3", "invalid 99"},
        {"?n=3x", "invalid 99"},
        {"?n=0x3", "invalid 99"},
        {"?n=+3", "invalid 99"},
        {"?n=3.0", "invalid 99"},
    };

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/number", says_its_number, NULL));
    for (size_t i = 0; i < COUNT(asked); i++) {
        char text[128];

        snprintf(text, sizeof text, "GET /number%s" V CLOSE "\r\n", asked[i].query);
        ask(text);
        ck_assert_str_eq(strstr(got, "\r\n\r\n") + 4, asked[i].want);
    }
    serve_end();
    return 0;
}

/* A media type is one value: it cannot start another field, however the response is
 * made. */
static ssize_t types(void *arg)
{
    static const struct {
        const char *type, *want;
    } asked[] = {
        {"a/b;%20c=%22%09d%c3%a4%22", "a/b; c=\"\td\xc3\xa4\""},
        {"a/b%0d%0aX:y", NULL},
        {"a/b%0a", NULL},
        {"%0d", NULL},
        {"%7f", NULL},
        {"", NULL},
    };

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/usual", says_its_type, NULL));
    OK(cg_http_server_mount(server, "/rare", says_its_type, "404"));
    for (size_t i = 0; i < 2 * COUNT(asked); i++) {
        const char *want = asked[i / 2].want;
        int status = want == NULL ? 500 : i % 2 ? 404 : 200;
        char request[128], field[64];

        snprintf(request, sizeof request, "GET /%s?type=%s" V CLOSE "\r\n",
                 i % 2 ? "rare" : "usual", asked[i / 2].type);
        snprintf(field, sizeof field, "\r\nContent-Type: %s\r\n",
                 want ? want : "text/plain; charset=utf-8");
        ck_assert_int_eq(status_of(request), status);
        ck_assert_ptr_nonnull(strstr(got, want ? "\r\n\r\nx" : "Error\n"));
        ck_assert_ptr_nonnull(strstr(got, field));
        ck_assert_ptr_null(strstr(got, "X:"));
    }
    serve_end();
    return 0;
}

/* A listener on a name with several addresses serves all of them, on one port. */
static ssize_t several_addresses(void *arg)
{
    struct cg_sock *on, *probe;
    unsigned port;

    (void)arg;
    OK(cg_sock_listen(cg_sched_self(), "localhost:0", &on));
    serve_begin_on(on, NULL);
    port = (unsigned)atoi(strrchr(addr, ':') + 1);
    for (int i = 0; i < 2; i++) {
        snprintf(addr, sizeof addr, "127.0.0.1:%u", port);
        IS(status_of("GET /" V CLOSE "\r\n"), 200);
        if (cg_sock_listen(cg_sched_self(), "[::1]:0", &probe) < 0)
            continue; /* the machine has no IPv6 */
        cg_sock_close(probe);
        snprintf(addr, sizeof addr, "[::1]:%u", port);
        IS(status_of("GET /" V CLOSE "\r\n"), 200);
    }
    serve_end();
    return 0;
}

/* A listening socket from outside, for example from systemd, is served. */
static ssize_t attached_listener(void *arg)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct cg_sock *on;

    (void)arg;
    IS(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    IS(listen(fd, 8), 0);
    OK(cg_sock_attach(cg_sched_self(), fd, &on));
    serve_begin_on(on, NULL);
    for (int i = 0; i < 2; i++)
        IS(status_of("GET /" V CLOSE "\r\n"), 200);
    serve_end();
    return 0;
}

/* Reads the first byte of a connection, which must be that of arg. */
static ssize_t takes_byte(struct cg_sock **sock, void *arg)
{
    char byte;
    ssize_t n = cg_yield(cg_readall(*sock, &byte, 1));

    return n == 1 && byte == *(const char *)arg ? 0 : -EPROTO;
}

struct other {
    struct cg_sock *listener;
    uint8_t protocols;
    char *first; /* NULL: not wrapped */
};

static ssize_t serves_other(void *arg)
{
    const struct other *other = arg;

    return cg_yield(cg_http_serve(server, other->listener, .protocols = other->protocols,
                                  .wrap = other->first != NULL ? takes_byte : NULL,
                                  .wrap_arg = other->first));
}

/* What a client gets from this listener. */
static const char *ask_other(const struct other *other, const char *text)
{
    OK(cg_sock_local_addr(other->listener, addr, sizeof addr));
    return ask(text);
}

/* Listeners of one server, each with its own transport and its own protocols. */
static ssize_t several_listeners(void *arg)
{
    char text[CG_ADDR_SIZE];
    struct other others[] = {{test_listen(text), 0, "x"}, {test_listen(text), 0, "y"},
                             {test_listen(text), CG_HTTP_H2C, NULL}};
    struct cg_coro *coros[COUNT(others)];

    (void)arg;
    serve_begin(NULL);
    for (size_t i = 0; i < COUNT(others); i++)
        coros[i] = test_start(serves_other, &others[i]);
    ck_assert_str_eq(ask("GET /" V CLOSE "\r\n"), HELLO CLOSE "\r\nhello\n");
    ck_assert_str_eq(ask_other(&others[0], "xGET /" V CLOSE "\r\n"),
                     HELLO CLOSE "\r\nhello\n");
    ck_assert_str_eq(ask_other(&others[0], "yGET /" V CLOSE "\r\n"), "");
    ck_assert_str_eq(ask_other(&others[1], "yGET /" V CLOSE "\r\n"),
                     HELLO CLOSE "\r\nhello\n");
    ck_assert_ptr_null(strstr(ask_other(&others[2], "GET /" V CLOSE "\r\n"), "hello"));
    OK(cg_yield(cg_http_shutdown(server, .idle = CG_NOWAIT, .timeout = CG_SECOND)));
    for (size_t i = 0; i < COUNT(others); i++) {
        IS(test_end(coros[i]), 0);
        cg_sock_close(others[i].listener);
    }
    serve_end();
    return 0;
}

static const struct test_case cases[] = {
    CORO(routes),
    CORO(paths, .where = ON_SIM),
    CORO(numbers, .where = ON_SIM),
    CORO(types),
    CORO(interim),
    CORO(failures),
    CORO(several_addresses),
    CORO(attached_listener, .where = ON_KERNEL),
};

static const struct test_case once[] = {
    CORO(keeps_alive),
    CORO(empty),
    CORO(says_its_name),
    CORO(many_routes),
    CORO(proxies),
    CORO(interim_in_order),
    CORO(half_responses),
    CORO(several_listeners),
    CORO(access_log, .where = ON_KERNEL),
    CORO(slow_log, .where = ON_KERNEL),
};

int main(void)
{
    return both_main("http server", cases, COUNT(cases), once, COUNT(once));
}
