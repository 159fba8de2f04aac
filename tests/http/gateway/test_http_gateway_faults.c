/* SPDX-License-Identifier: MIT */
/* A gateway whose upstreams fail. */
#include "config.h"

#include "tests/http/gateway/mortal.h"
#include "tests/support/must.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* An upstream that dies at any byte of its response: a GET is sent to the next one, unless the
 * client has a part of the response; then it learns that this is incomplete. A POST gets 502.
 * A request to another upstream is served meanwhile. */
static ssize_t dies(void *arg)
{
    static const char *const responses[] = {SHORT, STREAM};

    (void)arg;
    for (size_t which = 0; which < COUNT(responses); which++) {
        const char *says = responses[which], *body = strstr(says, "\r\n\r\n") + 4;

        bear(0, says, 0);
        bear(1, OK_200(5, "other"), SIZE_MAX);
        MORTALS(2, NEVER_OUT);
        for (size_t i = 0; i < 2 * strlen(says); i++) {
            mortals[0].dies = i / 2;
            mortals[0].reset = i % 2 == 1;
            /* The two upstreams take turns: both requests find their way. */
            for (int j = 0; j < 2; j++) {
                ask(GET_UP "\r\n");
                if (which == 1 && says + i / 2 > body && strstr(got, "other") == NULL)
                    MUST(strstr(got, "0\r\n\r\n") == NULL && strstr(got, "X-T") == NULL,
                         "%zu: complete: %s", i, got);
                else
                    MUST(strstr(got, "200 OK") != NULL && strstr(got, "other") != NULL,
                         "%zu: %s", i, got);
            }
        }
        ck_assert_uint_eq(cg_http_upstreams_available(upstreams), 2);
        gateway_off();
        bury(0);
        bury(1);
    }
    return 0;
}

/* What might have been done is not done twice. Attempts are bounded. */
static ssize_t retries(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < 3; i++)
        bear(i, SHORT, 3);
    MORTALS(3, .attempts = 2, NEVER_OUT);
    IS(status_of(GET_UP "\r\n"), 502);
    IS(mortals[0].requests + mortals[1].requests + mortals[2].requests, 2);
    IS(times(said, "GET: "), 2);
    IS(status_of("POST /up/x" V CLOSE "Content-Length: 0\r\n\r\n"), 502);
    IS(mortals[0].requests + mortals[1].requests + mortals[2].requests, 3);
    IS(status_of("PUT /up/x" V CLOSE "Content-Length: 2\r\n\r\nab"), 502);
    IS(mortals[0].requests + mortals[1].requests + mortals[2].requests, 4);
    gateway_off();
    for (unsigned i = 0; i < 3; i++)
        bury(i);
    return 0;
}

/* Nothing has been sent to an upstream that nobody listens at: so even a POST with a body goes
 * to the next one. */
static ssize_t refused(void *arg)
{
    (void)arg;
    bear(0, SHORT, SIZE_MAX);
    bear(1, SHORT, SIZE_MAX);
    MORTALS(2, NEVER_OUT);
    bury(0);
    for (int i = 0; i < 4; i++)
        IS(status_of(POST_UP "Content-Length: 5\r\n\r\nhello"), 200);
    IS(mortals[1].requests, 4);
    has(said, ": POST: ");
    bury(1);
    IS(status_of(POST_UP "Content-Length: 5\r\n\r\nhello"), 502);
    gateway_off();
    return 0;
}

/* A silent upstream: 504 after the client's timeout, and no second attempt. Others are served
 * meanwhile. */
static ssize_t hangs(void *arg)
{
    char first[65] = "";
    struct cg_coro *waits;
    int64_t began;

    (void)arg;
    bear(0, SHORT, SIZE_MAX);
    bear(1, OK_200(5, "other"), SIZE_MAX);
    mortals[0].pause = CG_MINUTE;
    MORTALS(2, NEVER_OUT);
    began = cg_sched_now(cg_sched_self());
    waits = test_start(ask_slowly, first);
    OK(cg_yield(cg_sleep(CG_SECOND)));
    for (int i = 0; i < 5; i++) /* least connections: the other one has none */
        has(ask(GET_UP "\r\n"), "other");
    test_end(waits);
    has(first, "HTTP/1.1 504 ");
    ck_assert_int_ge(cg_sched_now(cg_sched_self()) - began, 20 * CG_SECOND);
    ck_assert_int_lt(cg_sched_now(cg_sched_self()) - began, 25 * CG_SECOND);
    IS(mortals[0].requests, 1);
    has(said, "the server does not respond");
    gateway_off();
    bury(0);
    bury(1);
    return 0;
}

/* A response before the request has been read: it is forwarded, and the rest of the body is
 * not read. */
static ssize_t early(void *arg)
{
    (void)arg;
    bear(0, "HTTP/1.1 413 No\r\nContent-Length: 3\r\n\r\nbig", SIZE_MAX);
    MORTALS(1);
    has(ask("POST /up/x" V CLOSE "Content-Length: 1000\r\n\r\nab"), "HTTP/1.1 413 ");
    has(got, "\r\n\r\nbig");
    ck_assert_str_eq(said, "");
    gateway_off();
    bury(0);
    return 0;
}

#define CHUNKS HEAD_200 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"

/* A successful response before the request has been read: the client gets it, and where it ends,
 * while it still sends the request. */
static ssize_t early_success(void *arg)
{
    static const struct {
        const char *says, *head, *end;
    } responses[] = {
        {SHORT, "\r\nContent-Length: 5\r\n", "hello"},
        {CHUNKS "0\r\n\r\n", "\r\nContent-Length: 5\r\n", "hello"},
        {CHUNKS "0\r\nT: yes\r\n\r\n", "chunked", "\r\n0\r\nT: yes\r\n\r\n"},
    };

    (void)arg;
    for (size_t i = 0; i < COUNT(responses); i++) {
        char text[1024] = "";
        struct cg_sock *sock;
        size_t len = 0;

        bear(0, responses[i].says, SIZE_MAX);
        MORTALS(1);
        sock = serve_client();
        send_text(sock, "POST /up/x" V CLOSE "Content-Length: 1000\r\n\r\nab");
        while (strstr(text, responses[i].end) == NULL) {
            ssize_t n = cg_yield(cg_read(sock, text + len, sizeof text - 1 - len,
                                         .timeout = 5 * CG_SECOND));

            MUST(n > 0, "%s after %s", cg_strerror(n), text);
            len += (size_t)n;
        }
        has(text, responses[i].head);
        cg_sock_close(sock);
        gateway_off();
        bury(0);
    }
    return 0;
}

/* A client that leaves ends the exchange with the upstream, which is not blamed. */
static ssize_t leaves(void *arg)
{
    struct linger now = {.l_onoff = 1};

    (void)arg;
    bear(0, SHORT, SIZE_MAX);
    mortals[0].pause = CG_MINUTE;
    MORTALS(1);
    for (int i = 0; i < 4; i++) {
        struct cg_sock *sock = serve_client();

        send_text(sock, GET_UP "\r\n");
        OK(cg_yield(cg_sleep(CG_SECOND)));
        ck_assert_uint_eq(cg_http_client_connections(client), 1);
        if (i % 2 == 1)
            cg_sock_setopt(sock, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        cg_sock_close(sock);
        OK(cg_yield(cg_sleep(5 * CG_SECOND)));
        ck_assert_uint_eq(cg_http_client_connections(client), 0);
    }
    ck_assert_str_eq(said, "");
    gateway_off();
    bury(0);
    return 0;
}

/* A head that is too large, or is not HTTP, or has two lengths, is not forwarded. */
static ssize_t invalid(void *arg)
{
    static char large[20000];
    static const char *const bad[] = {
        "SSH-2.0-x\r\n\r\n", large, HEAD_200 "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        HEAD_200 "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\nab",
        HEAD_200 "Bad Name: x\r\nContent-Length: 0\r\n\r\n"};

    (void)arg;
    strcpy(large, HEAD_200 "Content-Length: 0\r\nX: ");
    memset(large + strlen(large), 'x', 15000);
    strcat(large, "\r\n\r\n");
    bear(0, SHORT, SIZE_MAX);
    MORTALS(1, NEVER_OUT);
    for (size_t i = 0; i < COUNT(bad); i++) {
        mortals[0].says = bad[i];
        IS(status_of(GET_UP "\r\n"), 502);
    }
    has(said, "the head of the response exceeds 14 KiB");
    IS(status_of(POST_UP "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nab"), 400);
    mortals[0].says = SHORT;
    IS(status_of(GET_UP "\r\n"), 200);
    gateway_off();
    bury(0);
    return 0;
}

static const struct test_case cases[] = {
    CORO(dies, .where = ON_SIM),
    CORO(retries),
    CORO(refused),
    CORO(hangs, .where = ON_SIM),
    CORO(early_success),
    CORO(early),
    CORO(leaves, .where = ON_SIM),
    CORO(invalid),
};

int main(void)
{
    return test_main("http gateway faults", cases, COUNT(cases));
}
