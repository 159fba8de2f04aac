/* SPDX-License-Identifier: MIT */
/* A gateway whose upstreams fail, and how it chooses among them. */
#include "config.h"

#include "tests/http/gateway_on.h"
#include "tests/support/must.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* An upstream that serves any number of connections: it reads a head, sends the first `dies`
 * bytes of its response and closes or resets the connection, or keeps it if that is all. */
struct mortal {
    const char *says;
    size_t dies;
    bool reset;
    int64_t pause;
    unsigned requests;
    struct cg_sock *listener;
    struct cg_coro *coro;
    char url[CG_ADDR_SIZE + 16];
};

static struct mortal mortals[3];

static bool has_head(struct cg_sock *conn)
{
    char head[4096];
    size_t len = 0;

    while (len < sizeof head - 1) {
        ssize_t n = cg_yield(cg_read(conn, head + len, sizeof head - 1 - len));

        if (n <= 0)
            return false;
        head[len += (size_t)n] = '\0';
        if (strstr(head, "\r\n\r\n") != NULL)
            return true;
    }
    return false;
}

static ssize_t live(struct cg_sock *conn, void *arg)
{
    struct linger now = {.l_onoff = 1};
    struct mortal *mortal = arg;

    while (has_head(conn)) {
        size_t len = mortal->dies < strlen(mortal->says) ? mortal->dies : strlen(mortal->says);

        mortal->requests++;
        if (mortal->pause > 0 && cg_yield(cg_sleep(mortal->pause)) < 0)
            break;
        if (cg_yield(cg_writeall(conn, mortal->says, len)) < 0 || len < strlen(mortal->says))
            break;
    }
    if (mortal->reset)
        cg_sock_setopt(conn, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    cg_sock_close(conn);
    return 0;
}

static ssize_t lives(void *arg)
{
    struct mortal *mortal = arg;

    return cg_yield(cg_serve(mortal->listener, live, .arg = mortal));
}

static void bear(unsigned i, const char *says, size_t dies)
{
    char at[CG_ADDR_SIZE];

    mortals[i] = (struct mortal){.says = says, .dies = dies};
    mortals[i].listener = test_listen(at);
    snprintf(mortals[i].url, sizeof mortals[i].url, "http://%s", at);
    mortals[i].coro = test_start(lives, &mortals[i]);
}

/* Also ends the accepted connections. */
static void bury(unsigned i)
{
    cg_coro_cancel(mortals[i].coro);
    test_end(mortals[i].coro);
    cg_sock_close(mortals[i].listener);
}

static void gateway_of(unsigned count, struct cg_http_upstreams_options options)
{
    gateway_on(0, options);
    for (unsigned i = 0; i < count; i++)
        OK(cg_http_upstreams_add(upstreams, mortals[i].url));
}

#define MORTALS(...) MORTALS_(__VA_ARGS__, )
#define MORTALS_(count, ...)                                                               \
    gateway_of(count, (struct cg_http_upstreams_options){.reserved = NULL, __VA_ARGS__})

#define SHORT OK_200(5, "hello")
#define STREAM                                                                             \
    HEAD_200 "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nX-T: 1\r\n\r\n"
#define NEVER_OUT .failures = UINT32_MAX

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

static ssize_t slow(void *arg)
{
    struct cg_sock *sock = serve_client();

    send_text(sock, GET_UP "\r\n");
    cg_yield(cg_read(sock, arg, 64));
    cg_sock_close(sock);
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
    waits = test_start(slow, first);
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

/* A successful response before the request has been read: the client gets it, and where it ends,
 * while it still sends the request. */
static ssize_t early_success(void *arg)
{
    static const char *const responses[] = {
        SHORT, HEAD_200 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"};

    (void)arg;
    for (size_t i = 0; i < COUNT(responses); i++) {
        char text[1024] = "";
        struct cg_sock *sock;
        size_t len = 0;

        bear(0, responses[i], SIZE_MAX);
        MORTALS(1);
        sock = serve_client();
        send_text(sock, "POST /up/x" V CLOSE "Content-Length: 1000\r\n\r\nab");
        while (strstr(text, "hello") == NULL) {
            ssize_t n = cg_yield(cg_read(sock, text + len, sizeof text - 1 - len,
                                         .timeout = 5 * CG_SECOND));

            MUST(n > 0, "%s after %s", cg_strerror(n), text);
            len += (size_t)n;
        }
        has(text, "\r\nContent-Length: 5\r\n");
        cg_sock_close(sock);
        gateway_off();
        bury(0);
    }
    return 0;
}

/* Asks until the first upstream has got that many requests; the other one responds. */
static void ask_until(unsigned requests)
{
    while (mortals[0].requests < requests)
        IS(status_of(GET_UP "\r\n"), 200);
}

/* Three failures within ten seconds take an upstream out for five; then one request tries it. */
static ssize_t health(void *arg)
{
    (void)arg;
    bear(0, SHORT, 0);
    bear(1, SHORT, SIZE_MAX);
    MORTALS(2);
    ask_until(2);
    OK(cg_yield(cg_sleep(11 * CG_SECOND))); /* the failures are forgotten */
    ask_until(4);
    ck_assert_uint_eq(cg_http_upstreams_available(upstreams), 2);
    ask_until(5);
    ck_assert_uint_eq(cg_http_upstreams_available(upstreams), 1);
    has(said, " is out: ");
    for (int i = 0; i < 4; i++)
        IS(status_of(GET_UP "\r\n"), 200);
    IS(mortals[0].requests, 5);
    OK(cg_yield(cg_sleep(6 * CG_SECOND)));
    for (int i = 0; i < 4; i++)
        IS(status_of(GET_UP "\r\n"), 200);
    IS(mortals[0].requests, 6);
    OK(cg_yield(cg_sleep(6 * CG_SECOND)));
    mortals[0].dies = SIZE_MAX;
    for (int i = 0; i < 4; i++)
        IS(status_of(GET_UP "\r\n"), 200);
    has(said, " is back\n");
    ck_assert_uint_eq(cg_http_upstreams_available(upstreams), 2);
    gateway_off();
    bury(0);
    bury(1);
    return 0;
}

/* Takes the only upstream out, which fails within its response. */
static void take_out(void)
{
    for (int i = 0; i < 3; i++)
        IS(status_of(GET_UP "\r\n"), 502);
    ck_assert_uint_eq(cg_http_upstreams_available(upstreams), 0);
    has(said, " is out: ");
}

/* If all upstreams are out, one request at a time tries one at once, and the first that gets a
 * response brings it back. The log has a line a second about those that do not. */
static ssize_t all_are_out(void *arg)
{
    char first[65] = "";
    struct cg_coro *tries;
    size_t logged;

    (void)arg;
    bear(0, SHORT, 0);
    MORTALS(1);
    take_out();
    logged = strlen(said);
    for (int i = 0; i < 10; i++)
        IS(status_of(GET_UP "\r\n"), 502);
    IS(mortals[0].requests, 13);
    has(said + logged, "all upstreams are out: requests refused: 1\n");
    IS(times(said + logged, "\n"), 1);
    mortals[0].pause = CG_SECOND;
    tries = test_start(slow, first);
    OK(cg_yield(cg_sleep(CG_SECOND / 2)));
    IS(status_of(GET_UP "\r\n"), 503);
    has(got, "\r\nRetry-After: 1\r\n");
    test_end(tries);
    has(first, "HTTP/1.1 502 ");
    IS(mortals[0].requests, 14);
    mortals[0].dies = SIZE_MAX;
    mortals[0].pause = 0;
    IS(status_of(GET_UP "\r\n"), 200);
    has(said, " is back\n");
    ck_assert_uint_eq(cg_http_upstreams_available(upstreams), 1);
    gateway_off();
    bury(0);
    return 0;
}

/* A response brings an upstream back when it begins, and not when it ends. */
static ssize_t is_back_at_once(void *arg)
{
    char first[65] = "";
    struct cg_coro *reads;

    (void)arg;
    bear(0, SHORT, 0);
    MORTALS(1);
    take_out();
    mortals[0].says = HEAD_200 "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n";
    mortals[0].dies = SIZE_MAX;
    reads = test_start(slow, first);
    OK(cg_yield(cg_sleep(CG_SECOND)));
    has(first, "HTTP/1.1 200 ");
    ck_assert_uint_eq(cg_http_upstreams_available(upstreams), 1);
    mortals[0].says = SHORT;
    IS(status_of(GET_UP "\r\n"), 200);
    test_end(reads);
    bury(0);
    gateway_off();
    return 0;
}

static ssize_t watches(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_watch_upstreams(upstreams));
}

/* Probes find a dead upstream without any request, and that it is back. */
static ssize_t probes(void *arg)
{
    struct cg_coro *watcher;

    (void)arg;
    bear(0, SHORT, SIZE_MAX);
    bear(1, SHORT, SIZE_MAX);
    MORTALS(2, .probe = "health", .probe_interval = CG_SECOND);
    watcher = test_start(watches, NULL);
    OK(cg_yield(cg_sleep(10 * CG_SECOND)));
    ck_assert_uint_eq(cg_http_upstreams_available(upstreams), 2);
    IS((ssize_t)mortals[0].requests / 5, 2);
    mortals[0].says = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
    mortals[1].pause = 3 * CG_SECOND;
    OK(cg_yield(cg_sleep(10 * CG_SECOND)));
    ck_assert_uint_eq(cg_http_upstreams_available(upstreams), 0);
    has(said, " is out: the probe: status 500\n");
    has(said, " is out: the probe: ");
    IS(status_of(GET_UP "\r\n"), 503);
    OK(cg_yield(cg_sleep(10 * CG_SECOND))); /* no request tries it: that is for probes */
    IS(status_of(GET_UP "\r\n"), 503);
    mortals[0].says = SHORT;
    OK(cg_yield(cg_sleep(2 * CG_SECOND)));
    ck_assert_uint_eq(cg_http_upstreams_available(upstreams), 1);
    IS(status_of(GET_UP "\r\n"), 200);
    cg_coro_cancel(watcher);
    IS(test_end(watcher), -ECANCELED);
    gateway_off();
    MORTALS(2);
    IS(cg_yield(cg_http_watch_upstreams(upstreams)), -EINVAL);
    gateway_off();
    bury(0);
    bury(1);
    return 0;
}

/* Removes the upstream after `left` others that are ready have run. */
static ssize_t removes_soon(void *left)
{
    size_t *count = left;

    if (*count == 0)
        return cg_http_upstreams_remove(upstreams, mortals[0].url);
    --*count;
    return cg_sched_start(cg_sched_self(), removes_soon, left);
}

/* An upstream may be removed at any time, also while its first probe is being started. */
static ssize_t watched_and_removed(void *arg)
{
    (void)arg;
    bear(0, SHORT, SIZE_MAX);
    for (size_t turns = 0; turns < 5; turns++) {
        size_t left = turns;
        struct cg_coro *watcher;

        MORTALS(1, .probe = "health");
        watcher = test_start(watches, NULL);
        OK(cg_sched_start(cg_sched_self(), removes_soon, &left));
        OK(cg_yield(cg_sleep(CG_SECOND)));
        ck_assert_uint_eq(cg_http_upstreams_available(upstreams), 0);
        cg_coro_cancel(watcher);
        IS(test_end(watcher), -ECANCELED);
        gateway_off();
    }
    bury(0);
    return 0;
}

/* The fewest requests: all get the same number. A hash: the same key always goes to the same
 * upstream, and only its keys move when that is out. */
static ssize_t balances(void *arg)
{
    static const char *const names[] = {"0", "1", "2"};
    const char *before[60];

    (void)arg;
    bear(0, OK_200(1, "0"), SIZE_MAX);
    bear(1, OK_200(1, "1"), SIZE_MAX);
    bear(2, OK_200(1, "2"), SIZE_MAX);
    MORTALS(3);
    for (int i = 0; i < 30; i++)
        IS(status_of(GET_UP "\r\n"), 200);
    for (int i = 0; i < 3; i++)
        IS(mortals[i].requests, 10);
    gateway_off();
    MORTALS(3, .balance = CG_HTTP_HASH_HEADER, .hash_header = "X-Key", .attempts = 1);
    for (int round = 0; round < 3; round++) {
        unsigned moved = 0, share[3] = {0};

        if (round == 2) {
            mortals[1].dies = 0;
            for (int i = 0; i < 3 * 60 && cg_http_upstreams_available(upstreams) == 3; i++) {
                char text[100];

                snprintf(text, sizeof text, "GET /up/x" V CLOSE "X-Key: %d\r\n\r\n", i % 60);
                ask(text);
            }
        }
        for (int i = 0; i < 60; i++) {
            char text[100];
            const char *body;

            snprintf(text, sizeof text, "GET /up/x" V CLOSE "X-Key: %d\r\n\r\n", i);
            body = BODY(text);
            share[*body - '0']++;
            moved += round > 0 && strcmp(before[i], body) != 0;
            if (round == 2 && strcmp(before[i], "1") != 0)
                ck_assert_str_eq(body, before[i]);
            before[i] = names[*body - '0'];
        }
        if (round < 2)
            for (int i = 0; i < 3; i++)
                ck_assert_uint_gt(share[i], 8);
        ck_assert_uint_eq(round == 2 ? share[1] : moved, 0);
    }
    gateway_off();
    MORTALS(3, .balance = CG_HTTP_HASH_CLIENT);
    before[0] = names[*BODY(GET_UP "\r\n") - '0'];
    for (int i = 0; i < 5; i++)
        ck_assert_str_eq(BODY(GET_UP "\r\n"), before[0]);
    gateway_off();
    for (unsigned i = 0; i < 3; i++)
        bury(i);
    return 0;
}

/* An upstream gets no more requests at a time than allowed. */
static ssize_t limits(void *arg)
{
    char first[65] = "";
    struct cg_coro *waits;

    (void)arg;
    bear(0, SHORT, SIZE_MAX);
    mortals[0].pause = 5 * CG_SECOND;
    MORTALS(1, .requests = 1);
    waits = test_start(slow, first);
    OK(cg_yield(cg_sleep(CG_SECOND)));
    IS(status_of(GET_UP "\r\n"), 503);
    has(got, "\r\nRetry-After: 1\r\n");
    has(said, "all upstreams have too many requests");
    test_end(waits);
    has(first, "HTTP/1.1 200 ");
    IS(status_of(GET_UP "\r\n"), 200);
    gateway_off();
    bury(0);
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

/* URLs that cannot be upstreams. */
static ssize_t urls(void *arg)
{
    char url[64];

    (void)arg;
    client = CLIENT();
    upstreams = cg_http_upstreams_new(client);
    IS(cg_http_upstreams_add(upstreams, NULL), -EINVAL);
    IS(cg_http_upstreams_add(upstreams, ""), -EINVAL);
    IS(cg_http_upstreams_add(upstreams, "ftp://a/"), -EINVAL);
    IS(cg_http_upstreams_add(upstreams, "http://a/?q"), -EINVAL);
    IS(cg_http_upstreams_add(upstreams, "http://a/#f"), -EINVAL);
    OK(cg_http_upstreams_add(upstreams, "http://a/b/"));
    IS(cg_http_upstreams_add(upstreams, "http://a/b"), -EEXIST);
    for (int i = 1; i < CG_HTTP_UPSTREAMS_LIMIT; i++) {
        snprintf(url, sizeof url, "http://a:%d", i);
        OK(cg_http_upstreams_add(upstreams, url));
    }
    IS(cg_http_upstreams_add(upstreams, "http://b"), -EINVAL);
    cg_http_upstreams_free(upstreams);
    cg_http_upstreams_free(NULL);
    cg_http_client_free(client);
    return 0;
}

static const struct test_case cases[] = {
    CORO(dies, .where = ON_SIM),
    CORO(retries),
    CORO(refused),
    CORO(hangs, .where = ON_SIM),
    CORO(early_success),
    CORO(early),
    CORO(health, .where = ON_SIM),
    CORO(all_are_out, .where = ON_SIM),
    CORO(is_back_at_once, .where = ON_SIM),
    CORO(probes, .where = ON_SIM),
    CORO(watched_and_removed, .where = ON_SIM),
    CORO(balances),
    CORO(limits, .where = ON_SIM),
    CORO(leaves, .where = ON_SIM),
    CORO(invalid),
    CORO(urls),
};

int main(void)
{
    return test_main("http gateway faults", cases, COUNT(cases));
}
