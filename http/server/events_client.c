/* SPDX-License-Identifier: MIT */
/* cg_http_serve_events: a client of published events. It is a guest of the server, as a
 * WebSocket is: after the handler a starter waits for news, for the end of the connection and
 * for the next heartbeat; the coroutine that it starts sends what is new, and ends. */
#include "config.h"

#include "http/acked.h"
#include "http/server/connection.h"
#include "http/server/events.h"
#include "http/server/response/response_head.h"

#include <cogen/any.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    AT_ONCE = 8,             /* published events in one write */
    OWN_AT_ONCE = 16 * 1024, /* bytes of own events after which they are written */
};

enum { NEWS, INPUT, BRANCHES };

struct client {
    struct cg_any_op wait; /* must be first: the starter returns it */
    struct cg_wait_event_op news;
    struct cg_wait_input_op input;
    struct cg_op *branches[BRANCHES];
    struct cg__http_guest guest;
    struct cg_http_events *events;
    struct cg_sock *sock;
    struct cg_coro *coro; /* NULL: it waits without one */
    cg_http_events_next *next; /* NULL: it has no events of its own */
    void (*ended)(void *arg);  /* NULL: nobody wants to know */
    void *arg;
    uint64_t sent; /* how many events of its own */
    uint64_t cursor;
    bool over; /* the server shuts down, or does not wait any longer; or it was sent all */
};

static struct client *of(struct cg__http_guest *guest)
{
    return (struct client *)((char *)guest - offsetof(struct client, guest));
}

/* If the client does not take all, closing the socket is to reset its stream or connection:
 * otherwise the rest would wait for it, in the kernel for a quarter of an hour. */
static ssize_t write_parts(struct client *client, struct iovec *parts, int count)
{
    ssize_t n = cg__http_acked_writev(client->sock, parts, count,
                                      client->guest.serving->server->write_wait, false);

    if (n < 0)
        cg_sock_setopt(client->sock, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
                       sizeof(struct linger));
    return n;
}

/* Lays some of the client's own events out. 0, or a negative code: the stream ends behind them. */
static int put_own(struct client *client, struct cg_http_headers *text)
{
    int rc = 0;

    while (rc == 0 && text->used < OWN_AT_ONCE) {
        struct cg_http_event event = {.data = NULL};

        rc = client->next(client->arg, client->sent, &event);
        if (rc <= 0)
            break;
        client->sent++;
        rc = cg__http_events_put_text(text, &event);
    }
    return rc;
}

/* Sends some of the client's own events. 0: there is none. */
static ssize_t send_own(struct client *client)
{
    struct cg_http_headers text = {.data = NULL};
    ssize_t rc = put_own(client, &text), n = (ssize_t)text.used;

    if (n > 0)
        n = write_parts(client, &(struct iovec){text.data, text.used}, 1);
    cg__http_message_clear(&text);
    return rc < 0 ? rc : n;
}

/* Sends some of the published events that are new to the client. 0: there is none. */
static ssize_t send_published(struct client *client)
{
    struct cg__http_events_entry *sent[AT_ONCE];
    struct iovec parts[AT_ONCE];
    int count = 0;
    ssize_t n;

    while (count < AT_ONCE &&
           (sent[count] = cg__http_events_next(client->events, &client->cursor)) != NULL) {
        parts[count] = (struct iovec){sent[count]->text, sent[count]->len};
        count++;
    }
    n = count > 0 ? write_parts(client, parts, count) : 0;
    while (count > 0)
        cg__http_events_put(sent[--count]);
    return n;
}

static ssize_t send_some(struct client *client)
{
    ssize_t n = client->next != NULL ? send_own(client) : 0;

    return n != 0 ? n : send_published(client);
}

static void end(struct client *client)
{
    cg_sock_close(client->sock);
    cg__http_events_leave(client->events);
    if (client->ended != NULL)
        client->ended(client->arg);
    cg__http_connection_leave(&client->guest);
    free(client);
}

static void begin_wait(struct client *client)
{
    client->news = *(struct cg_wait_event_op *)cg_wait_event(&client->events->news);
    client->input = *(struct cg_wait_input_op *)cg_wait_input(client->sock, .timeout = CG_NEVER);
    client->branches[NEWS] = &client->news.op;
    client->branches[INPUT] = &client->input.op;
    client->wait = *(struct cg_any_op *)cg_any_of(client->branches, BRANCHES,
                                                  .timeout = client->events->options.heartbeat);
    client->coro = NULL;
    cg_starter_await(client->events->starter, &client->wait.op); /* a race can always wait */
}

static bool is_over(const struct client *client)
{
    return client->over || client->events->freed;
}

/* Sends what there is after a wait that has ended with n. Returns a negative code if the stream
 * is to end. Input ends it: that is the end of the connection, or what no client may send behind
 * its request. */
static ssize_t send_all(struct client *client, ssize_t n)
{
    if (n == INPUT)
        n = CG_EOF;
    else if (n == -ETIMEDOUT && !is_over(client))
        n = write_parts(client, &(struct iovec){(void *)":\n\n", 3}, 1);
    while (n >= 0 && !is_over(client) && (n = send_some(client)) > 0)
        continue;
    if (n == 0 && client->events->closed)
        client->over = true;
    return n;
}

static void go_on(struct client *client, ssize_t n)
{
    struct cg__http_events_work work;

    client->coro = cg_coro_self();
    cg__http_events_begin(client->events, &work);
    n = send_all(client, n);
    cg__http_events_end(&work);
    if (n < 0 || is_over(client))
        end(client);
    else
        begin_wait(client);
}

/* In a new coroutine. */
static ssize_t resume(void *op)
{
    go_on(op, cg_op_result(op));
    return 0;
}

static void serve(struct cg__http_guest *guest)
{
    go_on(of(guest), NEWS);
}

/* A shutdown waits for no client: one that is being sent something may read nothing any more. */
static void told(struct cg__http_guest *guest)
{
    struct client *client = of(guest);

    client->over = true;
    if (client->coro != NULL)
        cg_coro_cancel(client->coro);
    else if (guest->serving != NULL)
        cg_starter_cancel(client->events->starter, &client->wait.op);
}

static const struct cg__http_guest_type guest_type = {
    .told = told,
    .serve = serve,
    .cancel = told,
};

static int open_starter(struct cg_http_events *events, struct cg_http_request *req)
{
    if (events->starter == NULL)
        events->starter = cg_starter_new(cg_sched_self(), resume, .name = "http events",
                                         .stack_size = req->server->options.stack_size);
    return events->starter != NULL ? 0 : -ENOMEM;
}

static int set_fields(struct cg_http_request *req)
{
    int rc = cg_http_response_set_header(req, "Content-Type", "text/event-stream");

    if (rc == 0 && cg_http_headers_get(&req->out, "Cache-Control") == NULL)
        rc = cg_http_response_set_header(req, "Cache-Control", "no-cache");
    return rc;
}

/* Responds with the head, and takes the connection. Its socket carries the events as they are:
 * over HTTP/1 the end of the connection is the end of the body. */
static ssize_t respond(struct cg_http_request *req, struct client *client)
{
    ssize_t n;

    req->switches = true;
    n = cg__http_response_head_write(req, 200, -1, NULL);
    if (n < 0) /* the handler may still respond otherwise */
        req->switches = false;
    if (n == 0)
        n = req->carrier->give(req, &client->sock);
    if (n == 0)
        req->ended = true;
    return n;
}

static uint64_t cursor_of(const struct cg_http_serve_events_op *serve)
{
    const char *last = serve->last;

    if (last == NULL)
        last = cg_http_request_header(serve->req, "Last-Event-ID");
    return cg__http_events_cursor(serve->events, last, serve->kept);
}

static ssize_t begin(const struct cg_http_serve_events_op *serve)
{
    struct cg_http_request *req = serve->req;
    struct client *client = calloc(1, sizeof *client);
    ssize_t n;

    if (client == NULL)
        return -ENOMEM;
    n = respond(req, client);
    if (n < 0) {
        free(client);
        return n;
    }
    client->events = serve->events;
    client->next = serve->next;
    client->ended = serve->ended;
    client->arg = serve->arg;
    client->cursor = cursor_of(serve);
    client->guest.type = &guest_type;
    cg__http_events_enter(serve->events);
    cg__http_guest_stay(req, &client->guest);
    cg__http_guest_add(req, &client->guest);
    return 0;
}

/* Whether nothing will ever come for the client. A browser comes back whenever a stream has ended,
 * until it gets 204. */
static bool has_all(const struct cg_http_serve_events_op *serve)
{
    return serve->events->closed && serve->next == NULL && cursor_of(serve) == serve->events->end;
}

/* Ends a stream for which the head alone was sent, with this result. */
static ssize_t end_head(const struct cg_http_serve_events_op *serve, ssize_t n)
{
    if (n == 0 && serve->ended != NULL)
        serve->ended(serve->arg);
    return n;
}

static ssize_t serve_events_run(struct cg_op *op)
{
    const struct cg_http_serve_events_op *serve = (struct cg_http_serve_events_op *)op;
    struct cg_http_request *req = serve->req;
    int rc = open_starter(serve->events, req);

    if (req->begun)
        return -EALREADY;
    if (!req->body_done)
        return -EINVAL;
    if (has_all(serve))
        return end_head(serve, cg_yield(cg_http_respond(req, 204, NULL, 0)));
    if (rc == 0)
        rc = set_fields(req);
    if (rc < 0)
        return rc;
    if (req->code == HTTP_HEAD)
        return end_head(serve, cg__http_response_head_write(req, 200, -1, NULL));
    return begin(serve);
}

static int serve_events_print(const struct cg_op *op, char *buf, size_t size)
{
    const struct cg_http_serve_events_op *serve = (const struct cg_http_serve_events_op *)op;

    return snprintf(buf, size, "%s", cg_http_request_target(serve->req));
}

const struct cg_op_type cg_http_serve_events_type = {
    .name = "http_serve_events",
    .run = serve_events_run,
    .print = serve_events_print,
};
