/* SPDX-License-Identifier: MIT */
/* Connections over HTTP/2 that have been idle for a second have no coroutine, and nobody can
 * tell: they serve further requests, answer pings, time out, make room for others, and end with
 * the server. And what they cost. */
#include "config.h"

#include "tests/http/http2/h2_raw.h"
#include "tests/http/http_serve.h"

#include <cogen/http_events.h>
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#ifdef HAVE_VALGRIND_VALGRIND_H
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

enum {
    CROWD = 300,
    MOST = 20 * 1024, /* 18 KiB of the server, and what the client's end takes here */
};

static const struct cg_http_server_options h2c = {.protocols = CG_HTTP_H2C};

static void say_hello(struct raw *raw, uint32_t id)
{
    raw_get(raw, END_STREAM, id, "/", NULL, 0);
    while (!raw->at[id].end)
        ck_assert(raw_once(raw));
    IS((ssize_t)raw->at[id].len, 6);
}

/* The server looks at responses that were on their way after a second, and then waits for one. */
static void fall_asleep(void)
{
    OK(cg_yield(cg_sleep(3 * CG_SECOND)));
    ck_assert_uint_eq(test_count("http"), 0);
    ck_assert_uint_eq(cg_http_server_connections(server), 1);
}

static void open_dormant(struct raw *raw)
{
    raw_open(raw, addr, NULL, 0);
    raw_send(raw, SETTINGS, ACK, 0, NULL, 0);
    say_hello(raw, 1);
    fall_asleep();
}

/* It serves requests, answers a PING, and falls asleep again; a head that comes in pieces keeps
 * it awake. */
static ssize_t serves(void *arg)
{
    static struct raw raw;

    (void)arg;
    serve_begin(&h2c);
    open_dormant(&raw);
    for (uint32_t id = 3; id < 9; id += 2) {
        say_hello(&raw, id);
        fall_asleep();
        raw_sync(&raw);
        fall_asleep();
    }
    raw_send(&raw, HEADERS, END_STREAM, 9, "\202\206", 2);
    OK(cg_yield(cg_sleep(2 * CG_SECOND)));
    ck_assert_uint_eq(test_count("http"), 1);
    raw_send(&raw, CONTINUATION, END_HEADERS, 9, "\204\001\001x", 4);
    while (!raw.at[9].end)
        ck_assert(raw_once(&raw));
    raw_close(&raw);
    serve_end();
    return 0;
}

/* A request that waits keeps its connection awake; when it is done, that falls asleep. */
static ssize_t busy(void *arg)
{
    static struct raw raw;

    (void)arg;
    serve_begin(&h2c);
    raw_open(&raw, addr, NULL, 0);
    raw_get(&raw, END_STREAM, 1, "/held", NULL, 0);
    until_handled(1);
    OK(cg_yield(cg_sleep(10 * CG_SECOND)));
    ck_assert_uint_eq(test_count("http"), 2);
    OK(cg_yield(cg_signal(&handled, NULL)));
    while (!raw.at[1].end)
        ck_assert(raw_once(&raw));
    fall_asleep();
    raw_close(&raw);
    serve_end();
    return 0;
}

/* The idle timeout counts from the end of the last response, and the client is told. */
static ssize_t times_out(void *arg)
{
    static struct raw raw;
    int64_t start;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C,
                                                 .idle_timeout = 10 * CG_SECOND});
    open_dormant(&raw);
    say_hello(&raw, 3);
    start = cg_sched_now(cg_sched_self());
    raw_send(&raw, PING, 0, 0, "12345678", 8); /* is no request */
    IS(raw_to_end(&raw), NGHTTP2_NO_ERROR);
    ck_assert_int_le(cg_sched_now(cg_sched_self()) - start, 11 * CG_SECOND);
    ck_assert_int_ge(cg_sched_now(cg_sched_self()) - start, 10 * CG_SECOND - CG_SECOND / 10);
    raw_close(&raw);
    serve_end();
    return 0;
}

static ssize_t client_leaves(void *arg)
{
    static struct raw raw;

    (void)arg;
    serve_begin(&h2c);
    open_dormant(&raw);
    raw_close(&raw);
    while (cg_http_server_connections(server) > 0)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    serve_end();
    return 0;
}

static ssize_t shutdown_begin(void *arg)
{
    (void)arg;
    return cg_yield(cg_http_shutdown(server, .timeout = 100 * CG_SECOND));
}

/* A shutdown tells the client, and loses no request that comes before it, or that is on its way
 * when the client is told. */
static ssize_t shuts_down(void *arg)
{
    static struct raw raw;

    (void)arg;
    for (int request = 0; request < 3; request++) {
        struct cg_coro *ending;

        serve_begin(&h2c);
        open_dormant(&raw);
        if (request == 1)
            raw_get(&raw, END_STREAM, 3, "/", NULL, 0);
        ending = test_start(shutdown_begin, NULL);
        while (raw.goaway == RAW_NONE)
            ck_assert(raw_once(&raw));
        if (request == 2)
            raw_get(&raw, END_STREAM, 3, "/", NULL, 0);
        IS(raw_to_end(&raw), NGHTTP2_NO_ERROR);
        ck_assert(raw.at[3].end == (request > 0));
        raw_close(&raw);
        IS(test_end(ending), 0);
        serve_end();
    }
    return 0;
}

static ssize_t listens(struct cg_http_request *req, void *events)
{
    return cg_yield(cg_http_serve_events(req, events));
}

/* A shutdown does not wait for what a closed socket has left, here that of a client of events,
 * if the client has not opened its window for linger_timeout: whether the socket was closed
 * before the shutdown or by it. */
static void shut_windows(bool before)
{
    static const struct cg_http_server_options options = {.protocols = CG_HTTP_H2C,
                                                          .linger_timeout = 20 * CG_SECOND};
    static char part[8 * 1024];
    static struct raw raw;
    struct cg_http_events *events = cg_http_events_new(.heartbeat = CG_NEVER);
    struct cg_coro *ending;
    int64_t begun;

    memset(part, 'x', sizeof part - 1);
    serve_begin(&options);
    OK(cg_http_server_mount(server, "/news", listens, events));
    raw_open(&raw, addr, NULL, 0);
    raw_get(&raw, END_STREAM, 1, "/news", NULL, 0);
    raw_sync(&raw);
    for (size_t len = 0; len < 80 * 1024; len += sizeof part) {
        OK(cg_http_events_publish(events, .data = part));
        raw_sync(&raw);
    }
    IS((ssize_t)raw.at[1].len, 65535);
    ck_assert_uint_eq(cg_http_events_clients(events), 1);
    OK(cg_yield(cg_sleep(15 * CG_SECOND)));
    if (before)
        cg_http_events_free(events);
    OK(cg_yield(cg_sleep(6 * CG_SECOND)));
    begun = cg_sched_now(cg_sched_self());
    ending = test_start(shutdown_begin, NULL);
    IS(raw_to_end(&raw), NGHTTP2_NO_ERROR);
    IS(raw.at[1].reset, NGHTTP2_CANCEL);
    raw_close(&raw);
    IS(test_end(ending), 0);
    ck_assert_int_lt(cg_sched_now(cg_sched_self()) - begun, 5 * CG_SECOND);
    serve_end();
    if (!before)
        cg_http_events_free(events);
}

static ssize_t shuts_windows(void *arg)
{
    (void)arg;
    shut_windows(false);
    shut_windows(true);
    return 0;
}

/* Cancelling the operation closes it, also if a request has just come. */
static ssize_t cancelled(void *arg)
{
    static struct raw raw;

    (void)arg;
    for (int request = 0; request < 2; request++) {
        serve_begin(&h2c);
        open_dormant(&raw);
        if (request)
            raw_get(&raw, END_STREAM, 3, "/", NULL, 0);
        OK(cg_yield(cg_cancel(serving)));
        IS(test_end(serving), -ECANCELED);
        ck_assert_uint_eq(cg_http_server_connections(server), 0);
        cg_http_server_free(server);
        cg_sock_close(listener);
        raw_close(&raw);
    }
    return 0;
}

static ssize_t makes_room(void *arg)
{
    static struct raw first, second;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C,
                                                 .connections = 1,
                                                 .address_connections = UINT32_MAX});
    open_dormant(&first);
    raw_open(&second, addr, NULL, 0);
    say_hello(&second, 1);
    raw_to_end(&first);
    raw_close(&first);
    raw_close(&second);
    serve_end();
    return 0;
}

/* Private memory of this process in bytes; 0: the system does not tell. */
static size_t resident(void)
{
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    size_t size = 0, kib;
    char line[256];

    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "Private_Clean: %zu", &kib) == 1 ||
            sscanf(line, "Private_Dirty: %zu", &kib) == 1)
            size += kib * 1024;
    fclose(file);
    return size;
}

static void crowd_in(struct raw *raw, struct cg_sock **crowd, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        raw_open(raw, addr, NULL, 0);
        raw_send(raw, SETTINGS, ACK, 0, NULL, 0);
        say_hello(raw, 1);
        crowd[i] = raw->sock;
    }
    OK(cg_yield(cg_sleep(20 * CG_SECOND))); /* cold stacks are unmapped */
}

/* An idle connection takes at most 18 KiB: much more would be a stack, or a buffer. */
static ssize_t costs(void *arg)
{
    static struct cg_sock *crowd[CROWD];
    static struct raw raw;
    bool padded = RUNNING_ON_VALGRIND; /* what is allocated */
    size_t before, after;

    (void)arg;
    serve_begin(&(struct cg_http_server_options){.protocols = CG_HTTP_H2C,
                                                 .address_connections = UINT32_MAX});
    crowd_in(&raw, crowd, 10);
    before = resident();
    crowd_in(&raw, crowd + 10, CROWD - 10);
    after = resident();
    ck_assert_uint_eq(test_count("http"), 0);
#ifdef __SANITIZE_ADDRESS__
    padded = true;
#endif
    if (!padded && before > 0)
        ck_assert_uint_le((after - before) / (CROWD - 10), MOST);
    for (size_t i = 0; i < CROWD; i++)
        cg_sock_close(crowd[i]);
    serve_end();
    return 0;
}

static const struct test_case cases[] = {
    CORO(serves, .where = ON_SIM),        CORO(busy, .where = ON_SIM),
    CORO(times_out, .where = ON_SIM),     CORO(client_leaves, .where = ON_SIM),
    CORO(shuts_down, .where = ON_SIM),    CORO(shuts_windows, .where = ON_SIM),
    CORO(cancelled, .where = ON_SIM),     CORO(makes_room, .where = ON_SIM),
    CORO(costs, .where = ON_SIM),
};

int main(void)
{
    return test_main("http_h2_idle", cases, COUNT(cases));
}
