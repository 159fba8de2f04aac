/* SPDX-License-Identifier: MIT */
/* The HTTP client with servers that are broken, slow or hostile: each request ends in time
 * with a code and a message, and leaves the pool of connections as it should be. */
#include "config.h"

#include "tests/http/http_script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct script server;
static struct cg_http_client *client;
static struct cg_http_reply *reply;
static char why[CG_HTTP_WHY_SIZE];

#define FETCH(...)                                                                     \
    cg_yield(cg_http_fetch(client, (&(struct cg_http_fetch){__VA_ARGS__}), &reply,     \
                           .why = why))
#define GET() cg_yield(cg_http_get(client, server.url, &reply, .why = why))

static void is_said(const char *what)
{
    ck_assert_msg(strstr(why, what) != NULL, "wanted: %s, said: %s", what, why);
}

/* Sends a request, and checks the error code and message that the response leads to.
 * Nothing may be left of the request. */
static void comes_of(const struct turn *turns, ssize_t code, const char *words)
{
    script_start(&server, turns);
    if (client == NULL)
        client = CLIENT();
    test_is(GET(), code, words, __FILE__, __LINE__);
    if (code < 0) {
        is_said(words);
        ck_assert_ptr_null(reply);
        IS((ssize_t)cg_http_client_connections(client), 0);
    }
    cg_http_reply_free(reply);
    cg_http_client_free(client);
    client = NULL;
    script_end(&server);
}

#define COMES_OF(code, words, ...) comes_of(TURNS(SAYS(__VA_ARGS__)), code, words)

/* Responses that are not HTTP, or contradict themselves. */
static ssize_t garbage(void *arg)
{
    static const char *const texts[] = {
        "SSH-2.0-x\r\n",
        "\r\n\r\n\r\nwhat",
        "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        HEAD_200 "A b: c\r\n\r\n",
        HEAD_200 ": c\r\n\r\n",
        HEAD_200 " A: b\r\n\r\n",
        HEAD_200 "Content-Length: 5\r\n \r\n\r\nhello",
        HEAD_200 "Transfer-Encoding: chunked\r\n \r\n\r\n0\r\n\r\n",
        "HTTP/1.1 099 C\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 20 C\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 0200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 \033[2J\r\nContent-Length: 0\r\n\r\n",
        HEAD_200 "A: \001\r\n\r\n",
        HEAD_200 "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        HEAD_200 "Content-Length: +5\r\n\r\nhello",
        HEAD_200 "Content-Length: 5, 5\r\n\r\nhello",
        HEAD_200 "Content-Length: 99999999999999999999\r\n\r\nhello",
        HEAD_200 "Content-Length: 18446744073709551615\r\n\r\nhello",
        HEAD_200 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD_200 "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        HEAD_200 "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
        HEAD_200 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
        HEAD_200 "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello",
        HEAD_200 "Transfer-Encoding: gzip\r\n\r\nhello",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    };

    (void)arg;
    for (size_t i = 0; i < COUNT(texts); i++) {
        client = CLIENT();
        script_start(&server, TURNS(SAYS(texts[i])));
        test_is(GET(), CG_EHTTP, texts[i], __FILE__, __LINE__);
        ck_assert_str_ne(why, "");
        IS((ssize_t)cg_http_client_connections(client), 0);
        cg_http_client_free(client);
        script_end(&server);
    }
    client = NULL;
    return 0;
}

/* Responses that end too early. */
static ssize_t ends_early(void *arg)
{
    (void)arg;
    COMES_OF(CG_EOF, "without a response", NULL, .close = true);
    COMES_OF(CG_EOF, "within the head", "HTTP/1.", .close = true);
    COMES_OF(CG_EOF, "within the head", HEAD_200 "A: b\r\n", .close = true);
    COMES_OF(CG_EOF, "after 5 of 6 bytes", OK_200(6, "hello"), .close = true);
    COMES_OF(CG_EOF, "after 5 of 6 bytes", OK_200(6, "hello"), .half = true);
    COMES_OF(CG_EOF, "before the end of the body",
             HEAD_200 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
             .close = true);
    COMES_OF(CG_EOF, "before the end of the body",
             HEAD_200 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
             .close = true);
    COMES_OF(-ECONNRESET, "receiving the response failed", NULL, .reset = true);
    COMES_OF(CG_EOF, "without a response", "HTTP/1.1 100 Go on\r\n\r\n", .close = true);
    return 0;
}

/* A server that sends begin, and then the same text again and again. */
static void endless(const char *begin, const char *text, ssize_t code,
                    const char *words)
{
    comes_of(TURNS(SAYS(begin), SAYS(text, .deaf = true, .again = 200000)), code,
             words);
}

/* Endless heads and bodies exceed a limit. */
static ssize_t endless_answers(void *arg)
{
    static char line[1024];

    (void)arg;
    memset(line, 'a', sizeof line - 1);
    endless(HEAD_200, "A: b\r\n", CG_EHTTP_LIMIT, "too many header fields");
    endless(HEAD_200 "A: ", line, CG_EHTTP_LIMIT, "too long");
    endless(HEAD_200, line, CG_EHTTP_LIMIT, "too long");
    endless("HTTP/1.1 200 ", line, CG_EHTTP_LIMIT, "too long");
    endless(HEAD_200 "Transfer-Encoding: chunked\r\n\r\n1;", line, CG_EHTTP,
            "extensions are too long");
    endless(HEAD_200 "Transfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n",
            CG_EHTTP_LIMIT, "too many header fields");
    endless("HTTP/1.1 102 Wait\r\n\r\n", "HTTP/1.1 102 Wait\r\n\r\n", CG_EHTTP,
            "too many interim responses");
    client = CLIENT();
    endless(HEAD_200 "\r\n", line, CG_EHTTP_LIMIT, "more than 16777216 bytes");
    return 0;
}

/* A head may have many fields, up to limits that can be set. */
static ssize_t long_heads(void *arg)
{
    static char many[64 * 1024], wide[64 * 1024];
    char *at = stpcpy(many, HEAD_200);

    (void)arg;
    for (int i = 0; i < 500; i++)
        at += sprintf(at, "X%d: 1\r\n", i);
    strcpy(at, "Content-Length: 0\r\n\r\n");
    at = stpcpy(wide, HEAD_200);
    for (int i = 0; i < 40; i++)
        at += sprintf(at, "Set-Cookie: %0*d\r\n", 900, i);
    strcpy(at, "Content-Length: 0\r\n\r\n");
    script_start(&server, TURNS(SAYS(many), SAYS(wide)));
    client = CLIENT();
    IS(GET(), 200);
    cg_http_reply_free(reply);
    IS(GET(), 200);
    cg_http_reply_free(reply);
    cg_http_client_free(client);
    script_end(&server);
    script_start(&server, TURNS(SAYS(many), SAYS(wide, .fresh = true)));
    client = CLIENT(.headers_count = 500, .headers_limit = 36000);
    IS(GET(), CG_EHTTP_LIMIT);
    is_said("too many header fields");
    IS(GET(), CG_EHTTP_LIMIT);
    is_said("too long");
    cg_http_client_free(client);
    client = NULL;
    script_end(&server);
    return 0;
}

/* The limit of a body applies to the bytes that come, and to a length that is declared
 * before them. */
static ssize_t limits(void *arg)
{
    (void)arg;
    script_start(&server,
                 TURNS(SAYS(OK_200(5, "hello")), SAYS(OK_200(5, "hello")),
                       SAYS(HEAD_200 "\r\nhello", .fresh = true, .close = true),
                       SAYS(HEAD_200 "\r\nhello", .fresh = true, .close = true),
                       SAYS(HEAD_200 "Content-Length: 5\r\n\r\n"),
                       SAYS(OK_200(1000000000000, "x"))));
    client = CLIENT();
    IS(FETCH(.url = server.url, .limit = 5), 200);
    cg_http_reply_free(reply);
    IS(FETCH(.url = server.url, .limit = 4), CG_EHTTP_LIMIT);
    is_said("the body has more than 4 bytes");
    IS(FETCH(.url = server.url, .limit = 5), 200);
    cg_http_reply_free(reply);
    IS(FETCH(.url = server.url, .limit = 4), CG_EHTTP_LIMIT);
    IS(FETCH(.url = server.url, .limit = 4, .method = "HEAD"), 200);
    cg_http_reply_free(reply);
    IS(FETCH(.url = server.url), CG_EHTTP_LIMIT);
    cg_http_client_free(client);
    client = NULL;
    script_end(&server);
    return 0;
}

/* Timeouts */

static int64_t since;

static void lasts(int64_t seconds)
{
    int64_t now = cg_sched_now(cg_sched_self());

    IS((now - since) / CG_MILLISECOND, seconds * 1000);
    since = now;
}

/* Each phase has its timeout: the first byte; the rest of the head as a whole, even if
 * bytes keep coming; each pause in the body; and the request as a whole. */
static ssize_t slow_servers(void *arg)
{
    static const char head[] = HEAD_200 "A: b\r\n\r\n";
    struct cg_http_client_options options = {.no_environment = true,
                                             .response_timeout = 5 * CG_SECOND,
                                             .idle_timeout = 3 * CG_SECOND};

    (void)arg;
    since = cg_sched_now(cg_sched_self());
    client = cg_http_client_new_with(&options);
    COMES_OF(-ETIMEDOUT, "the server does not respond", head, .pause = 6 * CG_SECOND,
             .close = true);
    lasts(6); /* the server ends after 6 s; the client gave up after 5 s */
    client = cg_http_client_new_with(&options);
    script_start(&server, TURNS(SAYS(head, .drip = CG_SECOND)));
    IS(GET(), -ETIMEDOUT);
    is_said("the head of the response took too long");
    lasts(4); /* 1 s to the first byte, then idle_timeout */
    cg_http_client_free(client);
    script_end(&server);
    since = cg_sched_now(cg_sched_self());
    client = cg_http_client_new_with(&options);
    COMES_OF(200, "", OK_200(5, "hello"), .drip = CG_SECOND / 100);
    client = cg_http_client_new_with(&options);
    script_start(&server, TURNS(SAYS(OK_200(9, "hello"), .pause = CG_SECOND),
                                SAYS(" you", .deaf = true, .pause = 4 * CG_SECOND,
                                     .close = true)));
    since = cg_sched_now(cg_sched_self());
    IS(GET(), -ETIMEDOUT);
    is_said("the rest of the body takes too long");
    lasts(4);
    script_end(&server);
    script_start(&server,
                 TURNS(SAYS(OK_200(50, "hello")),
                       SAYS("x", .deaf = true, .drip = CG_SECOND, .again = 60)));
    since = cg_sched_now(cg_sched_self());
    IS(cg_yield(cg_http_get(client, server.url, &reply, .timeout = 10 * CG_SECOND,
                            .why = why)),
       -ETIMEDOUT);
    lasts(10);
    is_said("a deadline has passed, or the request was cancelled, "
            "before the whole body was received");
    ck_assert_ptr_null(reply);
    IS((ssize_t)cg_http_client_connections(client), 0);
    script_end(&server);
    script_start(&server, TURNS(SAYS(head, .pause = CG_MINUTE, .close = true)));
    IS(cg_yield(cg_http_get(client, server.url, &reply, .timeout = CG_SECOND, .why = why)),
       -ETIMEDOUT);
    is_said("before the server responded");
    cg_http_client_free(client);
    client = NULL;
    script_end(&server);
    return 0;
}

/* Cancelling */

static ssize_t cancelled_fetch(void *arg)
{
    (void)arg;
    return GET();
}

/* A request that is cancelled at any moment leaves nothing: no connection, no place in the
 * queue, no reply. The next request is served. */
static ssize_t cancelled_anywhere(void *arg)
{
    (void)arg;
    for (int i = 0; i < 40; i++) {
        struct cg_coro *coro;

        script_start(
            &server,
            TURNS(
                SAYS(
                    "HTTP/1.1 302 Moved\r\nLocation: /x\r\nContent-Length: 2\r\n\r\nxx",
                    .drip = CG_MILLISECOND),
                SAYS(OK_200(5, "hello"), .drip = CG_MILLISECOND)));
        client = CLIENT(.per_origin = 1);
        coro = test_start(cancelled_fetch, NULL);
        for (int j = 0; j < i * 4; j++)
            OK(cg_yield(j % 4 || !test_on_sim() ? cg_pass()
                                                : cg_sleep(CG_MILLISECOND)));
        cg_yield(cg_cancel(coro));
        if (test_end(coro) == 200) {
            ck_assert_int_gt(i, 5);
            cg_http_reply_free(reply);
        } else {
            IS((ssize_t)cg_http_client_connections(client), 0);
        }
        cg_http_client_free(client);
        cg_sock_close(server.listener);
        server.listener = NULL;
        cg_yield(cg_cancel(server.coro));
        test_end(server.coro);
    }
    client = NULL;
    return 0;
}

/* In a race the loser leaves no reply, the winner does. */
static ssize_t races(void *arg)
{
    static struct script slow;
    struct cg_http_reply *other = NULL;

    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(5, "hello"), .pause = CG_SECOND)));
    script_start(
        &slow, TURNS(SAYS(OK_200(5, "hello"), .pause = 2 * CG_SECOND, .close = true)));
    client = CLIENT();
    IS(cg_yield(cg_any((cg_http_get(client, slow.url, &other),
                        cg_http_get(client, server.url, &reply)))),
       1);
    ck_assert_ptr_null(other);
    IS(cg_http_reply_status(reply), 200);
    IS((ssize_t)cg_http_client_connections(client), 1);
    cg_http_reply_free(reply);
    cg_http_client_free(client);
    client = NULL;
    script_end(&server);
    script_end(&slow);
    return 0;
}

/* Compressed bodies */

static const unsigned char gzipped[] = {0x1f, 0x8b, 0x08, 0,    0,    0,    0,    0,
                                        0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xd7,
                                        0x51, 0xc8, 0x40, 0xa2, 0x00, 0x9f, 0xa1, 0xca,
                                        0x09, 0x13, 0,    0,    0};

/* Compressed bodies are decoded, whole and in pieces. They are left alone if an option says
 * so or the coding is unknown. Invalid and truncated ones are refused. */
static ssize_t decodes(void *arg)
{
    static char answer[256], cut[256], broken[256];
    const char head[] = HEAD_200 "Content-Encoding: gzip\r\nContent-Length: 29\r\n\r\n";
    const char shorter[] =
        HEAD_200 "Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n";
    size_t size, n = 0;
    char buf[64];

    (void)arg;
    client = CLIENT();
    memcpy(stpcpy(answer, head), gzipped, sizeof gzipped);
    memcpy(stpcpy(cut, shorter), gzipped, 20);
    memcpy(stpcpy(broken, head), gzipped, sizeof gzipped);
    broken[sizeof head + 13] ^= 0x3c;
    size = sizeof head - 1 + sizeof gzipped;
    script_start(
        &server,
        TURNS(
            SAYS(answer, .size = size), SAYS(answer, .size = size),
            SAYS(answer, .size = size),
            SAYS(HEAD_200 "Content-Encoding: rot13\r\nContent-Length: 5\r\n\r\nuryyb"),
            SAYS(HEAD_200 "Content-Encoding: gzip\r\nContent-Encoding: rot13\r\n"
                          "Content-Length: 5\r\n\r\nuryyb"),
            SAYS(cut, .size = sizeof shorter - 1 + 20),
            SAYS(broken, .size = size, .fresh = true),
            SAYS("HTTP/1.1 206 Part\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab",
                 .fresh = true)));
    if (FETCH(.url = server.url) != 200)
        ck_abort_msg("%s", why);
    if (!cg_http_reply_decoded(reply)) {
        puts("SKIP decodes: built without zlib");
        exit(0);
    }
    ck_assert_str_eq(cg_http_reply_body(reply, &size), "hello, hello, hello");
    IS(cg_http_reply_received(reply), sizeof gzipped);
    ck_assert_ptr_nonnull(strstr(server.seen, "Accept-Encoding: gzip"));
    cg_http_reply_free(reply);
    IS(FETCH(.url = server.url, .stream = true), 200);
    while ((size = (size_t)OK(cg_yield(cg_http_read_reply(reply, buf + n, 3)))) > 0)
        n += size;
    IS((ssize_t)n, 19);
    ck_assert_mem_eq(buf, "hello, hello, hello", 19);
    cg_http_reply_free(reply);
    IS(FETCH(.url = server.url, .raw = true), 200);
    ck_assert(!cg_http_reply_decoded(reply));
    ck_assert_mem_eq(cg_http_reply_body(reply, &size), gzipped, sizeof gzipped);
    cg_http_reply_free(reply);
    for (int i = 0; i < 2; i++) { /* unknown ones, and several */
        IS(FETCH(.url = server.url), 200);
        ck_assert(!cg_http_reply_decoded(reply));
        ck_assert_str_eq(cg_http_reply_body(reply, NULL), "uryyb");
        cg_http_reply_free(reply);
    }
    IS(FETCH(.url = server.url), CG_EHTTP_CODING);
    is_said("the compressed body is truncated");
    IS(FETCH(.url = server.url), CG_EHTTP_CODING);
    is_said("corrupt, or expands");
    IS(FETCH(.url = server.url), 206); /* part of a compressed body cannot be decoded */
    ck_assert(!cg_http_reply_decoded(reply));
    ck_assert_str_eq(cg_http_reply_body(reply, NULL), "ab");
    cg_http_reply_free(reply);
    cg_http_client_free(client);
    client = NULL;
    script_end(&server);
    return 0;
}

/* However the bytes of a response are cut, the reply is the same. */
static ssize_t in_pieces(void *arg)
{
    (void)arg;
    script_start(
        &server,
        TURNS(SAYS("HTTP/1.1 100 Go on\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nA: bc\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n2\r\n!!\r\n"
                   "0\r\nT: u\r\n\r\n",
                   .drip = 1),
              SAYS(OK_200(5, "hello"), .drip = 1)));
    client = CLIENT();
    IS(GET(), 200);
    ck_assert_str_eq(cg_http_reply_body(reply, NULL), "hello!!");
    ck_assert_str_eq(cg_http_reply_header(reply, "A"), "bc");
    ck_assert_str_eq(cg_http_headers_get(cg_http_reply_trailers(reply), "T"), "u");
    cg_http_reply_free(reply);
    IS(GET(), 200);
    ck_assert_str_eq(cg_http_reply_body(reply, NULL), "hello");
    cg_http_reply_free(reply);
    IS(server.connections, 1);
    cg_http_client_free(client);
    client = NULL;
    script_end(&server);
    return 0;
}

int main(void)
{
    static const struct test_case cases[] = {
        CORO(garbage),
        CORO(ends_early),
        CORO(endless_answers, .where = ON_SIM),
        CORO(long_heads),
        CORO(limits),
        CORO(slow_servers, .where = ON_SIM),
        CORO(cancelled_anywhere),
        CORO(races, .where = ON_SIM),
        CORO(decodes),
        CORO(in_pieces),
    };

    return test_main("http_hostile", cases, COUNT(cases));
}
