/* SPDX-License-Identifier: MIT */
/* Published events, over both carriers: each client gets them in order, comes back to where it
 * was, and has no coroutine while nothing is to be sent. */
#include "config.h"

#include "tests/http/carried.h"

#include <cogen/http_events.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct cg_http_events *events;

static ssize_t handles(struct cg_http_request *req, void *arg)
{
    ssize_t n;

    (void)arg;
    OK(cg_http_response_set_header(req, "X-Own", "yes"));
    n = cg_yield(cg_http_serve_events(req, events));
    if (n == 0)
        IS(cg_yield(cg_http_serve_events(req, events)), -EALREADY);
    return n;
}

static void begin(bool h2, size_t kept, int64_t heartbeat)
{
    carried_begin(h2);
    events = cg_http_events_new(.kept = kept, .heartbeat = heartbeat);
    ck_assert_ptr_nonnull(events);
    OK(cg_http_server_mount(carried_server, "/events", handles, NULL));
}

static void finish(void)
{
    cg_http_events_free(events);
    carried_end();
}

struct listener {
    struct cg_http_reply *reply;
    char id[64], text[256]; /* of the last event, and what it has besides its id */
};

static void join(struct listener *l, const char *last)
{
    struct cg_http_field fields[] = {{last ? "Last-Event-ID" : NULL, last}, {NULL, NULL}};
    struct cg_http_fetch fetch = {
        .url = carried_url("/events"), .fields = fields, .stream = true};

    IS(cg_yield(cg_http_fetch(carried_client, &fetch, &l->reply)), 200);
    ck_assert_str_eq(cg_http_reply_header(l->reply, "Content-Type"), "text/event-stream");
    ck_assert_str_eq(cg_http_reply_header(l->reply, "Cache-Control"), "no-cache");
    ck_assert_str_eq(cg_http_reply_header(l->reply, "X-Own"), "yes");
}

static void leave(struct listener *l)
{
    cg_http_reply_free(l->reply);
    while (cg_http_events_clients(events) > 0)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
}

/* Reads a line, without its end. CG_EOF: the stream has ended. */
static ssize_t line(struct listener *l, char *to, size_t size)
{
    size_t len = 0;

    for (;; len++) {
        ssize_t n = cg_yield(cg_http_read_reply(l->reply, to + len, 1, .timeout = CG_HOUR));

        ck_assert_uint_lt(len, size);
        if (n <= 0)
            return n < 0 ? n : CG_EOF;
        if (to[len] == '\n')
            break;
    }
    to[len] = '\0';
    return (ssize_t)len;
}

/* The next event, or what it has instead of one. */
static const char *hear(struct listener *l)
{
    char one[64];
    ssize_t n;

    l->text[0] = '\0';
    while ((n = line(l, one, sizeof one)) > 0) {
        if (strncmp(one, "id: ", 4) == 0) {
            strcpy(l->id, one + 4);
        } else {
            strcat(l->text, one);
            strcat(l->text, "|");
        }
    }
    return n < 0 ? "END" : l->text;
}

#define HEARS(l, want) ck_assert_str_eq(hear(l), want)

/* How many coroutines the server has for its clients. */
static unsigned coroutines(void)
{
    unsigned count = 0;

    for (struct cg_coro *coro = NULL; (coro = cg_coro_next(cg_sched_self(), coro));)
        count += strcmp(cg_coro_name(coro), "http") == 0 ||
                 strcmp(cg_coro_name(coro), "http/2") == 0 ||
                 strcmp(cg_coro_name(coro), "http events") == 0;
    return count;
}

static void say(const char *data)
{
    IS(cg_http_events_publish(events, .data = data), 0);
}

/* What is published reaches all clients, whole; between events they have no coroutines. */
static void reaches_all(bool h2)
{
    struct listener a, b;

    begin(h2, 0, 0);
    say("too early");
    join(&a, NULL);
    join(&b, NULL);
    OK(cg_yield(cg_sleep(CG_SECOND)));
    ck_assert_uint_eq(cg_http_events_clients(events), 2);
    ck_assert_uint_eq(coroutines(), h2);
    IS(cg_http_events_publish(events, .event = "rain", .data = "a\nb", .retry = CG_SECOND), 0);
    say("second");
    HEARS(&a, "event: rain|retry: 1000|data: a|data: b|");
    HEARS(&a, "data: second|");
    HEARS(&b, "event: rain|retry: 1000|data: a|data: b|");
    HEARS(&b, "data: second|");
    ck_assert_str_eq(a.id, b.id);
    OK(cg_yield(cg_sleep(3 * CG_SECOND)));
    ck_assert_uint_eq(coroutines(), h2);
    IS(cg_http_events_publish(events, .event = "no data"), -EINVAL);
    IS(cg_http_events_publish(events, .event = "a\nb", .data = "x"), -EINVAL);
    HEARS(&a, ":|"); /* the heartbeat, after 15 s */
    cg_http_reply_free(a.reply);
    leave(&b);
    say("to nobody");
    finish();
}

/* A client that comes back gets what it has missed, as far as that is kept. An id of others is
 * none. */
static void comes_back(bool h2)
{
    static const char *const none[] = {"", "7", "x-1", "0-1", "-", "1-99999999999999999999"};
    struct listener l;
    char number[8], seen[64];

    begin(h2, 4, CG_NEVER);
    join(&l, NULL);
    say("1");
    HEARS(&l, "data: 1|");
    leave(&l);
    strcpy(seen, l.id);
    say("2");
    say("3");
    join(&l, seen);
    HEARS(&l, "data: 2|");
    HEARS(&l, "data: 3|");
    leave(&l);
    for (int i = 4; i < 20; i++) {
        snprintf(number, sizeof number, "%d", i);
        say(number);
    }
    join(&l, seen);
    HEARS(&l, "data: 16|");
    HEARS(&l, "data: 17|");
    leave(&l);
    for (size_t i = 0; i < COUNT(none); i++) {
        join(&l, none[i]);
        say("new");
        HEARS(&l, "data: new|");
        leave(&l);
    }
    finish();
}

static ssize_t shuts_down(void *timeout)
{
    return cg_yield(cg_http_shutdown(carried_server, .timeout = *(int64_t *)timeout));
}

/* The shutdown of the server and the end of the events end the streams. */
static void ends(bool h2)
{
    int64_t timeout = CG_SECOND;
    struct cg_coro *shutdown;
    struct listener l;

    begin(h2, 0, 0);
    join(&l, NULL);
    OK(cg_yield(cg_sleep(CG_SECOND)));
    say("last");
    cg_http_events_free(events);
    HEARS(&l, "END");
    cg_http_reply_free(l.reply);
    events = cg_http_events_new();
    join(&l, NULL);
    say("one");
    HEARS(&l, "data: one|");
    shutdown = test_start(shuts_down, &timeout);
    HEARS(&l, "END");
    cg_http_reply_free(l.reply);
    test_end(shutdown); /* over HTTP/2 it may wait for the client to close the connection */
    ck_assert_uint_eq(cg_http_events_clients(events), 0);
    finish();
}

/* What is kept is bounded by bytes, too, and the newest event is kept whatever its size. */
static void keeps_few_bytes(bool h2)
{
    static char large[2000];
    struct listener l;
    char seen[64];

    memset(large, 'x', sizeof large - 1);
    carried_begin(h2);
    events = cg_http_events_new(.bytes = 200, .heartbeat = CG_NEVER);
    OK(cg_http_server_mount(carried_server, "/events", handles, NULL));
    join(&l, NULL);
    say("1");
    HEARS(&l, "data: 1|");
    strcpy(seen, l.id);
    leave(&l);
    large[99] = '\0';
    say("2");
    say(large); /* both fit */
    say("4");
    join(&l, seen);
    HEARS(&l, "data: 2|");
    leave(&l);
    say(large); /* now the first one does not */
    say("6");
    join(&l, seen);
    ck_assert_str_eq(hear(&l) + strlen("data: 4"), "|");
    leave(&l);
    large[99] = 'x';
    say(large);
    ck_assert_uint_eq(cg_http_events_clients(events), 0);
    say("8");
    join(&l, seen);
    HEARS(&l, "data: 8|");
    leave(&l);
    finish();
}

/* A shutdown waits for no client that does not read. */
static void leaves_the_stuck(bool h2)
{
    static char large[1 << 20];
    int64_t timeout = CG_HOUR;
    struct cg_coro *shutdown;
    struct listener l;

    memset(large, 'x', sizeof large - 1);
    begin(h2, 0, CG_NEVER);
    join(&l, NULL);
    say(large);
    OK(cg_yield(cg_sleep(CG_SECOND)));
    ck_assert_uint_gt(coroutines(), h2); /* it is being sent */
    shutdown = test_start(shuts_down, &timeout);
    OK(cg_yield(cg_sleep(CG_SECOND)));
    ck_assert_uint_eq(cg_http_events_clients(events), 0);
    cg_http_reply_free(l.reply);
    test_end(shutdown);
    finish();
}

static void whole(bool h2)
{
    reaches_all(h2);
    comes_back(h2);
    keeps_few_bytes(h2);
    ends(h2);
    leaves_the_stuck(h2);
}

CARRIED(whole)

/* Whoever sends more behind the request is no client of a stream. */
static void sends_more(void)
{
    static const char text[] = "GET /events HTTP/1.1\r\nHost: x\r\n\r\nmore";
    struct cg_sock *sock;
    char buf[256];
    ssize_t n;

    OK(cg_yield(cg_connect(carried_url("") + strlen("http://"), &sock)));
    IS(cg_yield(cg_writeall(sock, text, sizeof text - 1)), sizeof text - 1);
    do
        n = cg_yield(cg_read(sock, buf, sizeof buf));
    while (n > 0);
    ck_assert(n == 0 || n == -ECONNRESET);
    cg_sock_close(sock);
}

/* HEAD has no stream. */
static ssize_t head(void *arg)
{
    struct cg_http_fetch fetch = {.method = "HEAD"};
    struct cg_http_reply *reply;
    struct listener l;

    (void)arg;
    begin(false, 0, 0);
    fetch.url = carried_url("/events");
    IS(cg_yield(cg_http_fetch(carried_client, &fetch, &reply)), 200);
    ck_assert_str_eq(cg_http_reply_header(reply, "Content-Type"), "text/event-stream");
    ck_assert_ptr_null(cg_http_reply_header(reply, "Content-Length"));
    cg_http_reply_free(reply);
    sends_more();
    ck_assert_ptr_null(cg_http_events_new(.kept = CG_HTTP_EVENTS_MOST + 1));
    ck_assert_uint_eq(cg_http_events_clients(events), 0);
    join(&l, NULL);
    ck_assert_uint_eq(cg_http_events_clients(events), 1);
    leave(&l);
    finish();
    return 0;
}

enum { MANY = 8, EVENTS = 50 }; /* a client has so many connections to a server */

/* Several clients, on every reactor. */
static ssize_t several(void *arg)
{
    static struct listener all[MANY];
    char want[16];

    (void)arg;
    begin(false, EVENTS, 0);
    for (int i = 0; i < MANY; i++)
        join(&all[i], NULL);
    for (int i = 0; i < EVENTS; i++) {
        snprintf(want, sizeof want, "%d", i);
        say(want);
        if (i % 10 == 0)
            OK(cg_yield(cg_sleep(0)));
    }
    for (int i = 0; i < EVENTS; i++) {
        snprintf(want, sizeof want, "data: %d|", i);
        for (int each = 0; each < MANY; each++)
            HEARS(&all[each], want);
    }
    for (int i = 1; i < MANY; i++)
        cg_http_reply_free(all[i].reply);
    leave(&all[0]);
    finish();
    return 0;
}

static const struct test_case cases[] = {
    CARRIED_CASES,
    CORO(head),
    CORO(several),
};

int main(void)
{
    return test_main("http events", cases, COUNT(cases));
}
