/* SPDX-License-Identifier: MIT */
/* The HTTP client sends requests again. */
#include "config.h"

#include "tests/http/http_ask.h"

#include <cogen/clock.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BUSY(fields) "HTTP/1.1 503 Busy\r\n" fields "Content-Length: 4\r\n\r\nwait"
#define SOON .retry_pause = CG_MILLISECOND

static int64_t since(int64_t moment)
{
    return cg_sched_now(cg_sched_self()) - moment;
}

/* A response or an error that may pass is followed by another attempt, and the last result
 * stands. */
static ssize_t tries_again(void *arg)
{
    (void)arg;
    script_start(&server,
                 TURNS(SAYS(BUSY("")),
                       SAYS("HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n"),
                       SAYS(NULL, .close = true), SAYS(OK_200(2, "ok"), .fresh = true),
                       SAYS(BUSY("")), SAYS(BUSY("")), SAYS(BUSY(""))));
    client = CLIENT();
    IS(FETCH(.url = server.url, .retries = 3, SOON), 200);
    has_body("ok");
    IS(FETCH(.url = server.url, .retries = 1, SOON), 503);
    has_body("wait");
    IS(FETCH(.url = server.url, SOON), 503);
    has_body("wait");
    done();
    return 0;
}

/* What may have taken effect is not sent again, nor what succeeds or fails for good. A body is
 * sent again if it can be rewound; what could not be sent at all, by any method. */
static ssize_t is_safe(void *arg)
{
    int times = 1;
    struct cg_http_source source = {.read = some_read, .arg = &times, .len = -1};

    (void)arg;
    script_start(&server, TURNS(SAYS(BUSY(""), .body = 3),
                                SAYS("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
                                SAYS(NULL, .body = 3, .close = true),
                                SAYS(BUSY(""), .body = 3, .fresh = true),
                                SAYS(OK_200(2, "ok"), .body = 3),
                                SAYS(BUSY(""), .body = 13), SAYS("nonsense\r\n\r\n"),
                                SAYS(BUSY(""), .body = 13, .fresh = true),
                                SAYS(OK_200(2, "ok"), .body = 16)));
    client = CLIENT();
    IS(FETCH(.url = server.url, .body = "abc", .len = 3, .retries = 9, SOON), 503);
    has_body("wait");
    IS(FETCH(.url = server.url, .retries = 9, SOON), 500);
    has_body("");
    IS(FETCH(.url = server.url, .body = "abc", .len = 3, .retries = 9, SOON), CG_EOF);
    IS(FETCH(.url = server.url, .method = "PUT", .body = "abc", .len = 3, .retries = 9,
             SOON),
       200);
    has_body("ok");
    IS(FETCH(.url = server.url, .method = "PUT", .source = &source, .retries = 9, SOON),
       503);
    has_body("wait");
    IS(FETCH(.url = server.url, .retries = 9, SOON), CG_EHTTP);
    times = 1;
    source.rewind = some_rewind;
    IS(FETCH(.url = server.url, .method = "PUT", .source = &source, .retries = 9, SOON),
       200);
    has_body("ok");
    done();
    client = CLIENT();
    IS(FETCH(.url = "http://127.0.0.1:1/", .body = "abc", .len = 3, .retries = 2, SOON),
       -ECONNREFUSED);
    IS(FETCH(.url = "http://no.such.host.invalid/", .retries = 2), CG_EHOST);
    cg_http_client_free(client);
    return 0;
}

/* Pauses double up to a minute, each shortened by up to a half; the whole is bounded. */
static ssize_t backs_off(void *arg)
{
    int64_t start = cg_sched_now(cg_sched_self());

    (void)arg;
    client = CLIENT();
    IS(FETCH(.url = "http://127.0.0.1:1/", .retries = 3), -ECONNREFUSED);
    ck_assert_int_ge(since(start), 3500 * CG_MILLISECOND);
    ck_assert_int_lt(since(start), 7001 * CG_MILLISECOND);
    start = cg_sched_now(cg_sched_self());
    IS(FETCH(.url = "http://127.0.0.1:1/", .retries = 100), -ECONNREFUSED);
    ck_assert_int_ge(since(start), 59 * CG_SECOND);
    ck_assert_int_le(since(start), CG_HTTP_RETRY_TIME);
    start = cg_sched_now(cg_sched_self());
    IS(FETCH(.url = "http://127.0.0.1:1/", .retries = 100, .retry_time = CG_HOUR),
       -ECONNREFUSED);
    ck_assert_int_ge(since(start), CG_HOUR - CG_MINUTE);
    ck_assert_int_le(since(start), CG_HOUR);
    start = cg_sched_now(cg_sched_self());
    IS(cg_yield(cg_http_fetch(
           client,
           (&(struct cg_http_fetch){.url = "http://127.0.0.1:1/", .retries = 100}),
           &reply, .why = why, .timeout = 10 * CG_SECOND)),
       -ETIMEDOUT);
    IS(since(start), 10 * CG_SECOND);
    ck_assert_ptr_nonnull(strstr(why, "in the pause before a retry"));
    cg_http_client_free(client);
    return 0;
}

/* Retry-After, in seconds or as a date, is waited for, if the time allows it. */
static ssize_t waits_as_asked(void *arg)
{
    static char dated[256];
    char date[CG_HTTP_DATE_SIZE];
    int64_t start = cg_sched_now(cg_sched_self());

    (void)arg;
    cg_http_date_print(cg_clock_now(cg_sched_self(), CG_CLOCK_WALL) / CG_SECOND + 110,
                       date);
    snprintf(dated, sizeof dated, BUSY("Retry-After: %s\r\n"), date);
    script_start(&server,
                 TURNS(SAYS(BUSY("Retry-After: 30\r\n")), SAYS(dated),
                       SAYS(OK_200(2, "ok")), SAYS(BUSY("Retry-After: 121\r\n")),
                       SAYS(BUSY("Retry-After: 99999999999999999999999999\r\n")),
                       SAYS(BUSY("Retry-After: soon\r\n")),
                       SAYS(BUSY("Retry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\n")),
                       SAYS(OK_200(2, "ok"))));
    client = CLIENT(.keep_timeout = CG_HOUR);
    IS(FETCH(.url = server.url, .retries = 3), 200);
    has_body("ok");
    ck_assert_int_ge(since(start), 109 * CG_SECOND);
    ck_assert_int_le(since(start), 113 * CG_SECOND);
    for (int i = 0; i < 2; i++) {
        start = cg_sched_now(cg_sched_self());
        IS(FETCH(.url = server.url, .retries = 3), 503);
        has_body("wait");
        ck_assert_int_lt(since(start), CG_SECOND);
    }
    start = cg_sched_now(cg_sched_self());
    IS(FETCH(.url = server.url, .retries = 3), 200);
    has_body("ok");
    ck_assert_int_lt(since(start), 4 * CG_SECOND);
    done();
    return 0;
}

static const struct test_case cases[] = {
    CORO(tries_again),
    CORO(is_safe),
    CORO(backs_off, .where = ON_SIM),
    CORO(waits_as_asked, .where = ON_SIM),
};

int main(void)
{
    return test_main("http client retries", cases, COUNT(cases));
}
