/* SPDX-License-Identifier: MIT */
/* How a gateway chooses among its upstreams: those that are out, probes, balance, limits. */
#include "config.h"

#include "http/gateway/upstreams.h"
#include "tests/http/gateway/mortal.h"
#include "tests/support/child.h"
#include "tests/support/must.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
    tries = test_start(ask_slowly, first);
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
    reads = test_start(ask_slowly, first);
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
    waits = test_start(ask_slowly, first);
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

/* Without .log the messages go to stderr. A reader of it that has gone ends no program. */
static void act_for_nobody(void)
{
    struct cg_http_upstreams *own = cg_http_upstreams_new(NULL);
    int fds[2];

    SURE(own != NULL && pipe(fds) == 0 && dup2(fds[1], STDERR_FILENO) >= 0);
    SURE(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    close(fds[0]);
    close(fds[1]);
    own->options.log(own->options.log_arg, "nobody reads this");
    cg_http_upstreams_free(own);
}

/* Nor does one that reads nothing hold it up. */
static void act_for_the_slow(void)
{
    struct cg_http_upstreams *own = cg_http_upstreams_new(NULL);
    int reading = child_fill_stderr();

    SURE(own != NULL);
    own->options.log(own->options.log_arg, "nobody reads this");
    cg_http_upstreams_free(own);
    close(reading);
}

static void survives_its_reader(void)
{
    char text[100];

    IS(child_run(act_for_nobody, text, sizeof text), 0);
    IS(child_run(act_for_the_slow, text, sizeof text), 0);
}

static const struct test_case cases[] = {
    CORO(health, .where = ON_SIM),
    CORO(all_are_out, .where = ON_SIM),
    CORO(is_back_at_once, .where = ON_SIM),
    CORO(probes, .where = ON_SIM),
    CORO(watched_and_removed, .where = ON_SIM),
    CORO(balances),
    CORO(limits, .where = ON_SIM),
    CORO(urls),
    PLAIN(survives_its_reader, .where = ON_SIM),
};

int main(void)
{
    return test_main("http gateway upstreams", cases, COUNT(cases));
}
