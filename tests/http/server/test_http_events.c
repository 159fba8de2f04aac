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

/* What the next client is sent for itself. */
static struct {
    struct cg_http_event list[3];
    uint64_t count;   /* of the list, again and again */
    int after;        /* what comes behind it */
    const char *last; /* the id for .last */
    unsigned ended;   /* clients that have */
    bool frees;       /* the events, with the last client */
} own;

static int gives(void *arg, uint64_t sent, struct cg_http_event *event)
{
    ck_assert_ptr_eq(arg, &own);
    ck_assert_ptr_null(event->data);
    if (sent >= own.count)
        return own.after;
    *event = own.list[sent % COUNT(own.list)];
    return 1;
}

static void has_ended(void *arg)
{
    ck_assert_ptr_eq(arg, &own);
    own.ended++;
    if (own.frees && cg_http_events_clients(events) == 0) {
        cg_http_events_free(events);
        events = NULL;
    }
}

static ssize_t handles(struct cg_http_request *req, void *arg)
{
    ssize_t n;

    (void)arg;
    OK(cg_http_response_set_header(req, "X-Own", "yes"));
    n = cg_yield(cg_http_serve_events(req, events, .next = gives, .ended = has_ended,
                                      .arg = &own, .last = own.last));
    if (n == 0)
        IS(cg_yield(cg_http_serve_events(req, events, .ended = has_ended)), -EALREADY);
    return n;
}

/* What has a beginning and an end. */
static ssize_t handles_log(struct cg_http_request *req, void *arg)
{
    (void)arg;
    return cg_yield(
        cg_http_serve_events(req, events, .kept = true, .ended = has_ended, .arg = &own));
}

static void begin(bool h2, size_t kept, int64_t heartbeat)
{
    carried_begin(h2);
    memset(&own, 0, sizeof own);
    events = cg_http_events_new(.kept = kept, .heartbeat = heartbeat);
    ck_assert_ptr_nonnull(events);
    OK(cg_http_server_mount(carried_server, "/events", handles, NULL));
    OK(cg_http_server_mount(carried_server, "/log", handles_log, NULL));
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

/* Requests the log. Returns the status. */
static ssize_t ask_log(struct listener *l, const char *last)
{
    struct cg_http_field fields[] = {{last ? "Last-Event-ID" : NULL, last}, {NULL, NULL}};
    struct cg_http_fetch fetch = {.url = carried_url("/log"), .fields = fields, .stream = true};

    return cg_yield(cg_http_fetch(carried_client, &fetch, &l->reply));
}

static void join(struct listener *l, const char *last)
{
    struct cg_http_field fields[] = {{last ? "Last-Event-ID" : NULL, last}, {NULL, NULL}};
    struct cg_http_fetch fetch = {
        .url = carried_url("/events"), .fields = fields, .stream = true};

    IS(cg_yield(cg_http_fetch(carried_client, &fetch, &l->reply)), 200);
    ck_assert_str_eq(cg_http_reply_header(l->reply, "Content-Type"), "text/event-stream");
    ck_assert_str_eq(cg_http_reply_header(l->reply, "Cache-Control"), "no-cache");
    ck_assert_str_eq(cg_http_reply_header(l->reply, "X-Own"), "yes");
    l->id[0] = '\0';
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

static void hears_the_end(struct listener *l)
{
    char text[64];

    IS(line(l, text, sizeof text), CG_EOF); /* an orderly one */
    leave(l);
}

/* Closed events end the streams of all clients behind the last event. Who comes later is sent what
 * was kept, if it wants that, or what it has missed; a browser that has all is told not to come
 * back. */
static void has_an_end(bool h2)
{
    struct listener early, late, back;

    begin(h2, 0, 0);
    say("1");
    IS(ask_log(&early, NULL), 200);
    IS(ask_log(&late, "unknown"), 200);
    HEARS(&early, "data: 1|");
    say("2");
    cg_http_events_close(events);
    IS(cg_http_events_publish(events, .data = "3"), -EPIPE);
    HEARS(&early, "data: 2|");
    hears_the_end(&early);
    HEARS(&late, "data: 1|");
    IS(ask_log(&back, late.id), 200);
    HEARS(&late, "data: 2|");
    hears_the_end(&late);
    HEARS(&back, "data: 2|");
    hears_the_end(&back);
    ck_assert_uint_eq(own.ended, 3);
    IS(ask_log(&back, back.id), 204);
    ck_assert_ptr_null(cg_http_reply_header(back.reply, "Content-Type"));
    leave(&back);
    ck_assert_uint_eq(own.ended, 4);
    own.list[0] = (struct cg_http_event){.event = "own"};
    own.count = 1;
    join(&back, NULL); /* its own events are sent nevertheless */
    HEARS(&back, "event: own|");
    hears_the_end(&back);
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

static char large[1 << 20];

/* A client that does not read, to which so many bytes are sent, in events of a part each. */
static void get_stuck(struct listener *l, bool h2, size_t bytes, size_t part)
{
    memset(large, 'x', sizeof large - 1);
    begin(h2, 0, CG_NEVER);
    join(l, NULL);
    for (; bytes > 0; bytes -= part) {
        say(large + sizeof large - part);
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    }
    OK(cg_yield(cg_sleep(CG_SECOND)));
}

/* A shutdown waits for no client that does not read, whether it is being sent something or what it
 * was sent waits behind its windows: it takes no longer than that of an idle connection. */
static void leaves_one_stuck(bool h2, size_t bytes, size_t part)
{
    int64_t timeout = CG_HOUR, begun;
    struct listener l;

    get_stuck(&l, h2, bytes, part);
    begun = cg_sched_now(cg_sched_self());
    IS(shuts_down(&timeout), 0);
    ck_assert_int_lt(cg_sched_now(cg_sched_self()) - begun, 5 * CG_SECOND);
    ck_assert_uint_eq(cg_http_events_clients(events), 0);
    cg_http_reply_free(l.reply);
    finish();
}

static void leaves_the_stuck(bool h2)
{
    leaves_one_stuck(h2, sizeof large, sizeof large);
    for (size_t bytes = 16 * 1024; bytes <= sizeof large; bytes *= 2)
        leaves_one_stuck(h2, bytes, 8 * 1024);
}

/* The end of the events waits for no client that does not read. */
static void frees_the_stuck(bool h2)
{
    struct listener l;

    get_stuck(&l, h2, sizeof large, sizeof large);
    ck_assert_uint_gt(coroutines(), h2); /* it is being sent */
    cg_http_events_free(events);
    events = NULL;
    OK(cg_yield(cg_sleep(CG_SECOND)));
    ck_assert_uint_eq(coroutines(), h2);
    cg_http_reply_free(l.reply);
    finish();
}

/* Events of the client's own come first and, after a wake, before published ones. */
static void gives_own(bool h2)
{
    struct listener l;

    begin(h2, 0, CG_NEVER);
    own.list[0] = (struct cg_http_event){.event = "hello", .data = "Ann", .retry = CG_SECOND};
    own.list[1] = (struct cg_http_event){.data = "a\nb", .id = "7"};
    own.list[2] = (struct cg_http_event){.data = "c", .id = ""};
    own.count = 3;
    join(&l, NULL);
    HEARS(&l, "event: hello|retry: 1000|data: Ann|");
    ck_assert_str_eq(l.id, "");
    HEARS(&l, "data: a|data: b|");
    ck_assert_str_eq(l.id, "7");
    HEARS(&l, "data: c|");
    ck_assert_str_eq(l.id, "7");
    OK(cg_yield(cg_sleep(2 * CG_SECOND)));
    ck_assert_uint_eq(coroutines(), h2);
    own.count = 4;
    say("published");
    HEARS(&l, "event: hello|retry: 1000|data: Ann|");
    HEARS(&l, "data: published|");
    OK(cg_yield(cg_sleep(2 * CG_SECOND)));
    own.count = 600; /* more than one write takes */
    cg_http_events_wake(events);
    for (int i = 4; i < 600; i++)
        HEARS(&l, i % 3 == 0   ? "event: hello|retry: 1000|data: Ann|"
                  : i % 3 == 1 ? "data: a|data: b|"
                               : "data: c|");
    own.after = -EPIPE; /* ends the stream */
    own.count = 601;
    cg_http_events_wake(events);
    HEARS(&l, "event: hello|retry: 1000|data: Ann|");
    HEARS(&l, "END");
    ck_assert_uint_eq(own.ended, 1);
    leave(&l);
    own.list[0].event = "a\nb"; /* is no name: so does this */
    join(&l, NULL);
    HEARS(&l, "END");
    leave(&l);
    ck_assert_uint_eq(own.ended, 2);
    finish();
}

/* The program is told once of each end, whatever the reason. */
static void tells_of_the_end(bool h2)
{
    int64_t timeout = CG_HOUR;
    struct cg_coro *shutdown;
    struct listener l;

    begin(h2, 0, CG_NEVER);
    join(&l, NULL);
    OK(cg_yield(cg_sleep(2 * CG_SECOND)));
    ck_assert_uint_eq(own.ended, 0);
    leave(&l);
    ck_assert_uint_eq(own.ended, 1);
    join(&l, NULL);
    cg_http_events_free(events);
    HEARS(&l, "END");
    ck_assert_uint_eq(own.ended, 2);
    cg_http_reply_free(l.reply);
    events = cg_http_events_new();
    own.frees = true;
    join(&l, NULL);
    cg_http_reply_free(l.reply);
    while (events != NULL)
        OK(cg_yield(cg_sleep(CG_MILLISECOND)));
    events = cg_http_events_new();
    join(&l, NULL);
    shutdown = test_start(shuts_down, &timeout);
    HEARS(&l, "END");
    cg_http_reply_free(l.reply);
    IS(test_end(shutdown), 0);
    ck_assert_uint_eq(own.ended, 4);
    ck_assert_ptr_null(events);
    finish();
}

/* A client comes back by an id of the program, of which the newest event counts, also if its URL
 * tells it. An event without an id does not change that. */
static void knows_own_ids(bool h2)
{
    struct listener l;

    begin(h2, 4, CG_NEVER);
    IS(cg_http_events_publish(events, .data = "x", .id = "a\nb"), -EINVAL);
    join(&l, NULL);
    IS(cg_http_events_publish(events, .data = "1", .id = "same"), 0);
    IS(cg_http_events_publish(events, .data = "2", .id = "same"), 0);
    IS(cg_http_events_publish(events, .data = "3", .id = ""), 0);
    IS(cg_http_events_publish(events, .data = "4", .id = "other"), 0);
    HEARS(&l, "data: 1|");
    ck_assert_str_eq(l.id, "same");
    HEARS(&l, "data: 2|");
    HEARS(&l, "data: 3|");
    ck_assert_str_eq(l.id, "same");
    HEARS(&l, "data: 4|");
    leave(&l);
    join(&l, "same");
    HEARS(&l, "data: 3|");
    leave(&l);
    own.last = "same";
    join(&l, "other");
    HEARS(&l, "data: 3|");
    leave(&l);
    own.last = "";
    join(&l, "same");
    say("5");
    HEARS(&l, "data: 5|");
    leave(&l);
    own.last = NULL;
    for (int i = 0; i < 4; i++)
        say("later");
    join(&l, "other"); /* is no longer kept */
    say("last");
    HEARS(&l, "data: last|");
    leave(&l);
    finish();
}

static void whole(bool h2)
{
    reaches_all(h2);
    comes_back(h2);
    keeps_few_bytes(h2);
    ends(h2);
    leaves_the_stuck(h2);
    frees_the_stuck(h2);
    gives_own(h2);
    tells_of_the_end(h2);
    knows_own_ids(h2);
    has_an_end(h2);
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
    ck_assert_uint_eq(own.ended, 1); /* a stream that has ended already */
    sends_more();
    ck_assert_uint_eq(own.ended, 2);
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
