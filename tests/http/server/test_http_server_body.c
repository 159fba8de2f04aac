/* SPDX-License-Identifier: MIT */
/* The bodies of the HTTP server: the framing of requests and of responses, compressed or
 * not. */
#include "config.h"

#include "http/coding/decoder.h"
#include "tests/http/http_serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Decodes the chunks in got, as far as they have come, into `body`. Returns the length. */
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

/* Decodes a body, as far as it has come, by its content coding. "": the body is not
 * coded. */
static size_t decode(const char *coding, const char *body, size_t size, char *to, size_t room)
{
    struct cg__decoder *decoder;
    size_t done = 0;
    ssize_t n;

    if (coding[0] == '\0') {
        memcpy(to, body, size);
        return size;
    }
    OK(cg__http_decoder_new(&decoder, coding));
    for (;;) {
        size_t part = size < CG__DECODE_INPUT ? size : CG__DECODE_INPUT;

        while ((n = cg__http_decoder_read(decoder, to + done, room - done)) > 0)
            done += (size_t)n;
        IS(n, 0);
        if (part == 0)
            break;
        cg__http_decoder_give(decoder, body, part);
        body += part;
        size -= part;
    }
    cg__http_decoder_free(decoder);
    return done;
}

/* A request body is read as it comes, whole or up to a limit. The server discards what is
 * left unread. */
static ssize_t bodies(void *arg)
{
#define WHOLE(n, body)                                                                     \
    "HTTP/1.1 201 Created\r\nContent-Type: a/b\r\nContent-Length: " n "\r\n" CLOSE "\r\n" body
    (void)arg;
    serve_begin(NULL);
    ck_assert_str_eq(ask("POST /whole" V CLOSE "Content-Length: 5\r\n\r\nhello"),
                     WHOLE("5", "hello"));
    ck_assert_str_eq(ask("POST /whole" V CLOSE "\r\n"), WHOLE("0", ""));
    ck_assert_str_eq(ask("POST /whole" V CLOSE "Transfer-Encoding: chunked\r\n\r\n"
                         "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n"),
                     WHOLE("5", "hello"));
    ck_assert_str_eq(ask("POST /echo HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello"),
                     "HTTP/1.1 200 OK\r\n" CLOSE "\r\nhello");
    IS(status_of("POST /whole10" V "Content-Length: 11\r\n\r\n12345678901"), 413);
    IS(status_of("POST /whole10" V "Transfer-Encoding: chunked\r\n\r\n"
                 "6\r\n123456\r\n6\r\n123456\r\n0\r\n\r\n"), 413);
    IS(status_of("POST /whole" V "Content-Length: 1048577\r\n\r\n"), 413);
    serve_end();
    return 0;
}

/* Chunks and lengths say where a request ends. */
static ssize_t framing(void *arg)
{
    (void)arg;
    serve_begin(NULL);
    ck_assert_str_eq(ask("POST /whole" V CLOSE "Transfer-Encoding: chunked\r\n\r\n"
                         "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: u\r\n\r\n"),
                     WHOLE("5", "hello"));
    ck_assert_str_eq(ask("POST /echo" V CLOSE "Transfer-Encoding: chunked\r\n\r\n"
                         "2\r\nhe\r\n3\r\nllo\r\n0\r\nT: u\r\n\r\n"),
                     CHUNKED CLOSE "\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nT: u\r\n\r\n");
    ck_assert_str_eq(ask("GET /" V "Content-Length: 5\r\n\r\nhelloGET /" V CLOSE "\r\n"),
                     HELLO "\r\nhello\n" HELLO CLOSE "\r\nhello\n");
    IS(status_of("POST /whole" V "Transfer-Encoding: chunked\r\n\r\nx\r\n"), 400);
    ck_assert_str_eq(ask("GET /" V "Transfer-Encoding: chunked\r\n\r\n"
                         "2\r\nhe\r\n3\r\nllo\r\n0\r\nT: u\r\n\r\nGET /" V CLOSE "\r\n"),
                     HELLO "\r\nhello\n" HELLO CLOSE "\r\nhello\n");
    serve_end();
    return 0;
}

/* An unread chunked body that is longer than the server discards ends the connection. */
static ssize_t long_chunks(void *arg)
{
    static char text[512 * 1024];
    char *to = stpcpy(text, "GET /" V "Transfer-Encoding: chunked\r\n\r\n");

    (void)arg;
    while (to < text + sizeof text - 200)
        to = stpcpy(to, "10\r\n0123456789abcdef\r\n");
    strcpy(to, "0\r\n\r\nGET /" V CLOSE "\r\n");
    serve_begin(NULL);
    ck_assert_str_eq(ask(text), HELLO "\r\nhello\n");
    serve_end();
    return 0;
}

/* A client that waits for a 100 gets it when the handler reads the body, and not before. */
static ssize_t continues(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    serve_begin(NULL);
    sock = serve_client();
    send_text(sock, "POST /whole" V CLOSE "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    ck_assert_str_eq(receive(sock, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    send_text(sock, "ok");
    ck_assert_str_eq(receive(sock, NULL), WHOLE("2", "ok"));
    cg_sock_close(sock);
    sock = serve_client();
    send_text(sock, "GET /" V "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    ck_assert_str_eq(receive(sock, NULL), HELLO CLOSE "\r\nhello\n");
    cg_sock_close(sock);
    IS(status_of("GET /" V "Content-Length: 2\r\nExpect: tea\r\n\r\n"), 417);
    IS(status_of("POST /whole HTTP/1.0\r\nContent-Length: 2\r\nExpect: tea\r\n\r\nab"), 201);
    serve_end();
    return 0;
}

static bool room_again;

/* Sends interim responses to a client that does not read, until it is about to. */
static ssize_t hints(void *arg)
{
    static char text[4000];
    const struct cg_http_field fields[] = {{"Link", text}, {NULL, NULL}};
    ssize_t n = 0;

    memset(text, 'l', sizeof text - 1);
    for (int i = 0; i < 4000 && n == 0 && !room_again; i++)
        n = cg_yield(cg_http_send_interim(arg, 103, fields));
    return n;
}

static ssize_t hints_and_reads(struct cg_http_request *req, void *arg)
{
    struct cg_coro *hinting = test_start(hints, req);
    char buf[8];
    ssize_t n;

    (void)arg;
    while (cg_coro_state(hinting) != CG_CORO_WAITING) /* it writes */
        cg_yield(cg_pass());
    handled++;
    n = cg_yield(cg_http_read(req, buf, sizeof buf));
    IS(test_end(hinting), 0);
    return n < 0 ? n : cg_yield(cg_http_send_text(req, 200, n == 2 ? "two" : "other"));
}

/* Reads to the first line of a response that is not a 103. Returns its status. */
static int status_behind_hints(struct cg_sock *sock)
{
    char line[8 * 1024];
    int status = 0;

    while (status == 0 || status == 103) {
        OK(cg_yield(cg_readline(sock, line, sizeof line)));
        sscanf(line, "HTTP/1.1 %d", &status);
    }
    return status;
}

/* While one coroutine of a handler writes, and the client does not read, another one reads the
 * body: the 100 comes behind what is written. */
static ssize_t continues_behind(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/hints", hints_and_reads, NULL));
    room_again = false;
    handled = 0;
    sock = serve_client();
    send_text(sock, "POST /hints" V CLOSE "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    until_handled(1);
    room_again = true;
    IS(status_behind_hints(sock), 100);
    send_text(sock, "ok");
    IS(status_behind_hints(sock), 200);
    ck_assert_ptr_nonnull(strstr(receive(sock, NULL), "\r\n\r\ntwo"));
    cg_sock_close(sock);
    serve_end();
    return 0;
}

/* Reads exactly the length of the body. Then the socket has no bytes. */
static ssize_t reads_and_looks(struct cg_http_request *req, void *arg)
{
    struct cg_view view;
    char buf[5];

    (void)arg;
    for (size_t size = 0; size < 5;)
        size += (size_t)OK(cg_yield(cg_http_read(req, buf + size, 5 - size)));
    IS(cg_yield(cg_poll_sock(cg_http_request_sock(req), CG_IN,
                             .timeout = 20 * CG_MILLISECOND)),
       -ETIMEDOUT);
    IS(cg_yield(
           cg_borrow(cg_http_request_sock(req), &view, .timeout = 20 * CG_MILLISECOND)),
       -ETIMEDOUT);
    IS(cg_yield(cg_http_read(req, buf, 5)), 0);
    return cg_yield(cg_http_send_text(req, 200, "read\n"));
}

/* A handler that has read the whole body finds none of its bytes in the socket. */
static ssize_t looks_behind_bodies(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/looks", reads_and_looks, NULL));
    sock = serve_client();
    for (int i = 0; i < 2; i++) {
        send_text(sock, "POST /looks" V "Content-Length: 5\r\n\r\nhello");
        ck_assert_ptr_nonnull(strstr(receive(sock, "read\n"), "read\n"));
    }
    cg_sock_close(sock);
    serve_end();
    return 0;
}

static ssize_t streams(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    serve_begin(NULL);
    ck_assert_str_eq(
        BODY("GET /events HTTP/1.0\r\n\r\n"),
        "event: e\nid: 7\ndata: one\ndata: two\ndata: \n\nretry: 3000\n\n:\n\n");
    ck_assert_ptr_nonnull(strstr(got, "Content-Type: text/event-stream\r\n"));
    sock = serve_client();
    send_text(sock, "GET /up" V "Connection: upgrade\r\nUpgrade: x\r\n\r\nother words\n");
    ck_assert_str_eq(receive(sock, NULL),
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
                     "Connection: Upgrade\r\n\r\nother words\n");
    cg_sock_close(sock);
    ck_assert_uint_eq(cg_http_server_connections(server), 0);
    serve_end();
    return 0;
}

/* Responses to requests that come together are all sent, however full the buffer is when
 * the last one is added. Each is the same as it would be alone. */
static ssize_t fills_up(void *arg)
{
    static char asked[1024];
    const char *at;

    (void)arg;
    serve_begin(NULL);
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
    serve_end();
    return 0;
}

/* A text that exceeds a size is compressed for clients that accept it, and decodes to the
 * same text. */
static ssize_t compresses(void *arg)
{
    (void)arg;
    serve_begin(NULL);
    ask("GET /text" V CLOSE "Accept-Encoding: gzip, br;q=0\r\n\r\n");
    if (strstr(got, "Content-Encoding: gzip") == NULL)
        printf("SKIP gzip: not built in\n");
    ck_assert_ptr_nonnull(strstr(got, "Vary: Accept-Encoding"));
    ask("GET /text" V CLOSE "\r\n");
    ck_assert_ptr_null(strstr(got, "Content-Encoding"));
    ck_assert_ptr_nonnull(strstr(got, "Content-Length: 2999"));
    ask("GET /text" V CLOSE "Accept-Encoding: gzip;q=0, identity\r\n\r\n");
    ck_assert_ptr_null(strstr(got, "Content-Encoding"));
    ask("GET /binary" V CLOSE "Accept-Encoding: gzip, br, zstd\r\n\r\n");
    ck_assert_ptr_null(strstr(got, "Content-Encoding"));
    ask("GET /text" V CLOSE "Accept-Encoding: deflate\r\n\r\n");
    ck_assert_ptr_null(strstr(got, "Content-Encoding"));
    serve_end();
    return 0;
}

/* Like ask, for a body that is not a text. */
static void ask_bytes(const char *request)
{
    struct cg_sock *sock = serve_client();
    size_t size = 0;
    ssize_t n;

    send_text(sock, request);
    while ((n = OK(cg_yield(cg_read(sock, got + size, sizeof got - 1 - size)))) > 0)
        size += (size_t)n;
    got[size] = '\0';
    cg_sock_close(sock);
}

static ssize_t tagged(struct cg_http_request *req, void *arg)
{
    static char words[3000];

    memset(words, 'x', sizeof words - 1);
    OK(cg_http_response_set_header(req, "ETag", arg));
    return cg_yield(cg_http_send_text(req, 200, words));
}

/* Each coding decodes to the text, also the response to HEAD says its length, and a tag is weak if
 * the body is coded. */
static ssize_t compresses_by_each_coding(void *arg)
{
    static const char *const codings[] = {"gzip", "br", "zstd"};
    static char text[4000];
    char request[200], field[64];

    (void)arg;
    serve_begin(NULL);
    OK(cg_http_server_mount(server, "/tag", tagged, "\"a\""));
    OK(cg_http_server_mount(server, "/weak", tagged, "W/\"a\""));
    for (size_t i = 0; i < COUNT(codings); i++) {
        const char *body;
        size_t length;

        if (strstr(cg__http_decoder_accept(), codings[i]) == NULL)
            continue;
        snprintf(request, sizeof request, "GET /tag" V CLOSE "Accept-Encoding: %s\r\n\r\n",
                 codings[i]);
        ask_bytes(request);
        snprintf(field, sizeof field, "\r\nContent-Encoding: %s\r\n", codings[i]);
        ck_assert_msg(strstr(got, field) != NULL, "%s", got);
        ck_assert_ptr_nonnull(strstr(got, "\r\nETag: W/\"a\"\r\n"));
        length = strtoul(strstr(got, "Content-Length: ") + 16, NULL, 10);
        ck_assert_uint_lt(length, 100);
        body = strstr(got, "\r\n\r\n") + 4;
        IS(decode(codings[i], body, length, text, sizeof text), 2999);
        snprintf(field, sizeof field, "\r\nContent-Length: %zu\r\n", length);
        snprintf(request, sizeof request, "HEAD /weak" V CLOSE "Accept-Encoding: %s\r\n\r\n",
                 codings[i]);
        ask(request);
        ck_assert_ptr_nonnull(strstr(got, field));
        ck_assert_ptr_nonnull(strstr(got, "\r\nETag: W/\"a\"\r\n"));
    }
    ask("GET /tag" V CLOSE "\r\n");
    ck_assert_ptr_nonnull(strstr(got, "\r\nETag: \"a\"\r\n"));
    serve_end();
    return 0;
}

/* A text of unknown length is compressed as it comes. What is flushed is sent at once, and
 * what may wait is no longer than necessary. */
static ssize_t compresses_drops(void *arg)
{
    static const struct {
        const char *target, *accept, *coding;
    } asked[] = {
        {"/drops", "gzip", "gzip"},     {"/drops", "br", "br"},
        {"/drops", "zstd", "zstd"},     {"/drops", "gzip;q=0.9, br, zstd;q=0.8", "gzip"},
        {"/drops", "deflate, x", ""},   {"/drops/image", "br, gzip, zstd", ""},
    };
    static char body[sizeof got], text[100000], want[100000];
    size_t wanted = (size_t)sprintf(want, "begin, ");

    (void)arg;
    for (int i = 0; i < 3000; i++)
        wanted += (size_t)sprintf(want + wanted, "a word, and ");
    wanted += (size_t)sprintf(want + wanted, "he end.");
    serve_begin(NULL);
    for (size_t i = 0; i < COUNT(asked); i++) {
        bool there = asked[i].coding[0] == '\0' ||
                     strstr(cg__http_decoder_accept(), asked[i].coding);
        const char *coding = there ? asked[i].coding : "";
        struct cg_sock *sock = serve_client();
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
                if (length >= 7) { /* the first piece has come: let the handler go on */
                    until_handled((unsigned)i + 1);
                    OK(cg_yield(cg_signal(&handled, NULL)));
                }
            }
        }
        length = unchunk(size, body);
        snprintf(field, sizeof field, "\r\nContent-Encoding: %s\r\n", coding);
        IS(memmem(got, size, field, strlen(field)) != NULL, coding[0] != '\0');
        IS(memmem(got, size, "\r\nVary: ", 8) != NULL, asked[i].target[6] == '\0');
        ck_assert_uint_lt(coding[0] ? length : 0, 1500);
        IS(decode(coding, body, length, text, sizeof text), wanted);
        ck_assert_mem_eq(text, want, wanted);
        cg_sock_close(sock);
    }
    serve_end();
    return 0;
}

static ssize_t lets_go_on(void *arg)
{
    (void)arg;
    until_handled(1);
    return cg_yield(cg_signal(&handled, NULL));
}

/* curl decodes it as well, as a browser would. */
static ssize_t curl_decompresses_drops(void *arg)
{
    struct cg_output out = {.limit = 100000};
    struct cg_process *process;
    struct cg_coro *other;
    char script[256], want[64] = "begin, ";

    (void)arg;
    if (cg__http_decoder_accept()[0] == '\0' ||
        system("curl -V 2>&1 | grep -q libz") != 0) {
        printf("SKIP curl: it, or zlib, is not here\n");
        return 0;
    }
    serve_begin(NULL);
    other = test_start(lets_go_on, NULL);
    snprintf(script, sizeof script,
             "curl -sS -m 20 --compressed -w '%%{size_download}' http://%s/drops", addr);
    OK(cg_process_spawn(cg_sched_self(), ((char *[]){"/bin/sh", "-c", script, NULL}),
                        &process, .out = CG_STDIO_PIPE));
    IS(cg_yield(cg_communicate(process, NULL, 0, .out = &out)), 0);
    cg_process_close(process);
    IS(test_end(other), 1);
    for (int i = 0; i < 4; i++)
        strcat(want, "a word, and ");
    ck_assert_mem_eq(out.data, want, strlen(want));
    ck_assert_mem_eq(out.data + 7 + 3000 * 12, "he end.", 7);
    ck_assert_int_lt(atoi(out.data + 7 + 3000 * 12 + 7), 1500);
    free(out.data);
    serve_end();
    return 0;
}

/* A handler that waits delays later requests, but not the responses that are ready. A
 * client that leaves meanwhile ends all its requests. */
static ssize_t holds_nothing_back(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    serve_begin(NULL);
    sock = serve_client();
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
    cg_sock_close(sock);
    sock = serve_client();
    send_text(sock, "GET /" V "\r\nGET /held" V "\r\n");
    until_handled(6);
    cg_sock_close(sock);
    OK(cg_yield(cg_signal(&handled, NULL)));
    serve_end();
    return 0;
}

/* A handler is told that its client has left. A request that the client has sent behind is no
 * departure. */
static ssize_t left(void *arg)
{
    struct cg_sock *sock;

    (void)arg;
    serve_begin(NULL);
    sock = serve_client();
    send_text(sock, "GET /left" V "\r\nGET /" V "\r\n");
    until_handled(1);
    cg_yield(cg_sleep(CG_MILLISECOND));
    ck_assert_uint_eq(handled, 1);
    cg_sock_close(sock);
    until_handled(3);
    serve_end();
    return 0;
}

/* A response without a body tells no length that its handler has not given, and a handler that
 * streams without end does not keep the connection of a HEAD. */
static ssize_t bare(void *arg)
{
    (void)arg;
    serve_begin(NULL);
    ck_assert_str_eq(ask("HEAD /bare" V CLOSE "\r\n"), "HTTP/1.1 200 OK\r\n" CLOSE "\r\n");
    ck_assert_str_eq(ask("HEAD /bare?length=77" V CLOSE "\r\n"),
                     "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n" CLOSE "\r\n");
    ck_assert_str_eq(ask("HEAD /nothing/200" V CLOSE "\r\n"), "HTTP/1.1 200 OK\r\n" CLOSE "\r\n");
    ck_assert_str_eq(ask("GET /bare" V CLOSE "\r\n"),
                     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" CLOSE "\r\n");
    ck_assert_str_eq(ask("GET /bare/304" V CLOSE "\r\n"),
                     "HTTP/1.1 304 Not Modified\r\n" CLOSE "\r\n");
    ask("HEAD /floods" V "\r\nHEAD /floods/text" V "Accept-Encoding: gzip\r\n\r\n"
        "GET /" V CLOSE "\r\n");
    ck_assert_int_eq(strncmp(got, "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n", 36), 0);
    ck_assert_ptr_nonnull(strstr(got, "\r\nContent-Type: text/plain\r\n"));
    ck_assert_ptr_nonnull(strstr(got, "\r\n\r\n" HELLO CLOSE "\r\nhello\n"));
    serve_end();
    return 0;
}

static const struct test_case cases[] = {CORO(bodies), CORO(compresses)};

static const struct test_case once[] = {
    CORO(framing), CORO(long_chunks),
    CORO(bare),
    CORO(left),
    CORO(continues), CORO(continues_behind),
    CORO(looks_behind_bodies),
    CORO(streams),
    CORO(fills_up),
    CORO(compresses_by_each_coding),
    CORO(compresses_drops),
    CORO(curl_decompresses_drops, .where = ON_KERNEL),
    CORO(holds_nothing_back),
};

int main(void)
{
    return both_main("http server body", cases, COUNT(cases), once, COUNT(once));
}
