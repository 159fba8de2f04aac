/* SPDX-License-Identifier: MIT */
/* Subjects that use HTTP: a server on a UNIX socket with a client that sends plain bytes,
 * and the library's client with a server that sends plain bytes. */
#include "tests/pairs/pairs.h"

#include <cogen/http_client.h>
#include <cogen/http_form.h>
#include <cogen/http_gateway.h>
#include <cogen/http_server.h>
#include <cogen/serve.h>
#include <cogen/sync.h>
#include <stdio.h>

/* The server */

struct site {
    struct world w;
    struct cg_http_server *server;
    struct cg_sock *listener, *client;
    struct cg_coro *serving, *asking;
    struct cg_http_request *req; /* of a handler that waits until the trial is over */
    struct cg_event begun, over;
    bool stays; /* the handler is not cancelled */
    struct cg_http_form *form;
    char addr[CG_ADDR_SIZE], buf[EVENT + 1], *data;
};

static ssize_t handles(struct cg_http_request *req, void *arg)
{
    struct site *s = arg;

    s->req = req;
    cg_event_set(&s->begun);
    cg_yield(cg_wait_event(&s->over, .shield = s->stays));
    return 0;
}

static void no_log(void *arg, const char *line)
{
    (void)arg;
    (void)line;
}

static void site_open(struct world *w)
{
    struct site *s = (struct site *)w;

    test_unix_path(s->addr);
    OK(cg_sock_listen(cg_sched_self(), s->addr, &s->listener));
    s->server = cg_http_server_new(.body_timeout = CG_NEVER, .log = no_log,
                                   .protocols = CG_HTTP_H1 | CG_HTTP_H2C);
    OK(cg_http_server_mount(s->server, "/", handles, s));
}

static void site_close(struct world *w)
{
    struct site *s = (struct site *)w;

    if (s->listener)
        cg_sock_close(s->listener);
    IS((ssize_t)cg_http_server_connections(s->server), 0);
    cg_http_server_free(s->server);
}

/* The listener may be closed before it accepts the connection. */
static ssize_t asks(void *arg)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    struct site *s = arg;
    struct cg_sock *sock;
    char byte;

    if (cg_yield(cg_connect(s->addr, &sock)) < 0)
        return 0;
    if (cg_yield(cg_writeall(sock, text, sizeof text - 1)) > 0)
        cg_yield(cg_read(sock, &byte, 1));
    cg_sock_close(sock);
    return 0;
}

static void serve_open(struct world *w)
{
    struct site *s = (struct site *)w;

    site_open(w);
    s->asking = test_start(asks, s);
}

static struct cg_op *serve_op(struct world *w)
{
    struct site *s = (struct site *)w;

    return KEEP(w, cg_http_serve_op, cg_http_serve(s->server, s->listener));
}

static void serve_cause(struct world *w)
{
    struct site *s = (struct site *)w;

    cg_sock_close(s->listener);
    s->listener = NULL;
}

/* No handler is left. */
static void serve_check(struct world *w, ssize_t answer)
{
    struct site *s = (struct site *)w;

    if (!pairs_lost(answer))
        IS(answer, -EBADF);
    IS((ssize_t)cg_http_server_connections(s->server), 0);
    if (s->listener)
        serve_cause(w);
    IS(test_end(s->asking), 0);
}

/* A wait for the shutdown of the server, which stays shut down. */
static struct cg_op *told_op(struct world *w)
{
    struct site *s = (struct site *)w;

    return KEEP(w, cg_http_shutdown_op, cg_http_wait_shutdown(s->server));
}

static void told_cause(struct world *w)
{
    IS(cg_yield(cg_http_shutdown(((struct site *)w)->server)), 0);
}

static void told_got(struct world *w, ssize_t answer)
{
    (void)w;
    IS(answer, 0);
}

/* The body of a request */

static ssize_t serves(void *arg)
{
    struct site *s = arg;

    return cg_yield(cg_http_serve(s->server, s->listener));
}

static void ask_by(struct site *s, const char *text, size_t len)
{
    site_open(&s->w);
    s->serving = test_start(serves, s);
    OK(cg_yield(cg_connect(s->addr, &s->client)));
    OK(cg_yield(cg_writeall(s->client, text, len)));
    IS(cg_yield(cg_wait_event(&s->begun)), 0);
}

static void ask(struct site *s, const char *text)
{
    ask_by(s, text, strlen(text));
}

static void read_open(struct world *w)
{
    ask((struct site *)w, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 800\r\n\r\n");
}

static void body_open(struct world *w)
{
    ask((struct site *)w, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n");
}

static void asked_close(struct world *w)
{
    struct site *s = (struct site *)w;

    cg_event_set(&s->over);
    if (s->client != NULL)
        cg_sock_close(s->client);
    cg_yield(cg_http_shutdown(s->server));
    IS(test_end(s->serving), 0);
    site_close(w);
}

static void body_cause(struct world *w)
{
    struct site *s = (struct site *)w;
    char text[EVENT + 1];

    pairs_event(text, w->caused);
    IS(cg_yield(cg_writeall(s->client, text, EVENT)), EVENT);
}

/* The departure of the client. The handler goes on until the trial is over. */

static void stays_open(struct world *w)
{
    static const char h2[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                             "\0\0\0\4\0\0\0\0\0"
                             "\0\0\6\1\5\0\0\0\1\202\204\206\101\1x";

    ((struct site *)w)->stays = true;
    if (w->subject->link == 0)
        ask((struct site *)w, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    else
        ask_by((struct site *)w, h2, sizeof h2 - 1);
}

static struct cg_op *left_op(struct world *w)
{
    return KEEP(w, cg_http_wait_left_op, cg_http_wait_left(((struct site *)w)->req));
}

static void left_cause(struct world *w)
{
    struct site *s = (struct site *)w;

    if (s->client != NULL)
        cg_sock_close(s->client);
    s->client = NULL;
}

static struct cg_op *read_op(struct world *w)
{
    struct site *s = (struct site *)w;

    return KEEP(w, cg_http_read_op, cg_http_read(s->req, s->buf, EVENT));
}

static void read_got(struct world *w, ssize_t answer)
{
    IS(answer, EVENT);
    pairs_is_event(((struct site *)w)->buf, w->seen);
}

static struct cg_op *body_op(struct world *w)
{
    struct site *s = (struct site *)w;

    s->data = NULL;
    return KEEP(w, cg_http_read_op, cg_http_read_body(s->req, &s->data));
}

/* Partial: if the op has completed, the body is whole. If it has lost, the body may be
 * lost. */
static void body_check(struct world *w, ssize_t answer)
{
    struct site *s = (struct site *)w;

    if (pairs_lost(answer))
        return;
    IS(answer, EVENT);
    pairs_is_event(s->data, 1);
}

static void form_open(struct world *w)
{
    ask((struct site *)w, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n"
                          "Content-Type: application/x-www-form-urlencoded\r\n\r\n");
}

static struct cg_op *form_op(struct world *w)
{
    struct site *s = (struct site *)w;

    s->form = NULL;
    return KEEP(w, cg_http_read_form_op, cg_http_read_form(s->req, &s->form));
}

/* Partial, like cg_http_read_body. The event is the name of a field. */
static void form_check(struct world *w, ssize_t answer)
{
    struct site *s = (struct site *)w;
    size_t at = 0;

    if (pairs_lost(answer)) {
        HOLDS(s->form == NULL);
        return;
    }
    IS(answer, 1);
    pairs_is_event(cg_http_form_next(s->form, &at)->name, 1);
    cg_http_form_free(s->form);
}

/* The client */

struct visit {
    struct world w;
    struct cg_http_client *client;
    struct cg_http_reply *reply;
    struct cg_sock *listener;
    struct cg_coro *serving;
    struct cg_event go;
    char url[CG_ADDR_SIZE + 8], buf[EVENT + 1];
};

/* If link is 0, waits for the first event and sends it with the head. Else sends the head
 * at once, and then the events as the body, one by one. */
static ssize_t answers(struct cg_sock *conn, void *arg)
{
    struct visit *v = arg;
    bool whole = v->w.subject->link == 0;
    char text[256];
    ssize_t n;

    while ((n = cg_yield(cg_readline(conn, text, sizeof text))) > 0) {
        if (strcmp(text, "\r\n") != 0)
            continue;
        if (whole && (n = cg_yield(cg_wait_event(&v->go))) < 0)
            break;
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s",
                 whole ? EVENT : 100 * EVENT, whole ? "0000001\n" : "");
        cg_yield(cg_writeall(conn, text, strlen(text)));
        for (size_t i = 1; !whole && n >= 0; i++) {
            while (n >= 0 && i > v->w.caused)
                if ((n = cg_yield(cg_wait_signal(v, NULL, .timeout = MS / 20))) ==
                    -ETIMEDOUT)
                    n = 0;
            pairs_event(text, i);
            if (n >= 0)
                n = cg_yield(cg_writeall(conn, text, EVENT));
        }
    }
    cg_sock_close(conn);
    return 0;
}

static ssize_t serves_visits(void *arg)
{
    struct visit *v = arg;

    return cg_yield(cg_serve(v->listener, answers, .arg = v));
}

static void visit_open(struct world *w)
{
    struct visit *v = (struct visit *)w;
    char addr[CG_ADDR_SIZE];

    v->listener = test_listen(addr);
    snprintf(v->url, sizeof v->url, "http://%s/", addr);
    v->client = cg_http_client_new(.no_environment = true);
    v->serving = test_start(serves_visits, v);
}

static struct cg_op *get_op(struct world *w)
{
    struct visit *v = (struct visit *)w;

    v->reply = NULL;
    return KEEP(w, cg_http_fetch_op, cg_http_get(v->client, v->url, &v->reply));
}

static void get_cause(struct world *w)
{
    cg_event_set(&((struct visit *)w)->go);
}

static void get_got(struct world *w)
{
    struct visit *v = (struct visit *)w;

    pairs_is_event(cg_http_reply_body(v->reply, NULL), 1);
    cg_http_reply_free(v->reply);
}

/* A request that has lost leaves no reply, and can be made again. */
static void get_check(struct world *w, ssize_t answer)
{
    struct visit *v = (struct visit *)w;

    if (pairs_lost(answer)) {
        HOLDS(v->reply == NULL);
    } else {
        IS(answer, 200);
        get_got(w);
    }
    if (w->caused == 0)
        pairs_cause(w);
    IS(cg_yield(get_op(w)), 200);
    get_got(w);
}

static void reply_open(struct world *w)
{
    struct visit *v = (struct visit *)w;
    struct cg_http_fetch fetch = {.stream = true};

    visit_open(w);
    fetch.url = v->url;
    IS(cg_yield(cg_http_fetch(v->client, &fetch, &v->reply)), 200);
}

static struct cg_op *reply_op(struct world *w)
{
    struct visit *v = (struct visit *)w;

    return KEEP(w, cg_http_read_reply_op, cg_http_read_reply(v->reply, v->buf, EVENT));
}

static void reply_cause(struct world *w)
{
    cg_yield(cg_signal(w, NULL));
}

static void reply_got(struct world *w, ssize_t answer)
{
    IS(answer, EVENT);
    pairs_is_event(((struct visit *)w)->buf, w->seen);
}

static void visit_close(struct world *w)
{
    struct visit *v = (struct visit *)w;

    cg_http_client_free(v->client);
    IS(cg_yield(cg_cancel(v->serving)), 0);
    IS(test_end(v->serving), -ECANCELED);
    cg_sock_close(v->listener);
}

static void reply_shut(struct world *w)
{
    struct visit *v = (struct visit *)w;

    cg_http_reply_free(v->reply);
    v->reply = NULL;
}

static void reply_close(struct world *w)
{
    cg_http_reply_free(((struct visit *)w)->reply);
    visit_close(w);
}

/* A request that is forwarded: to a set of upstreams, or to a URL (link is not 0). */

struct gate {
    struct site s;
    struct visit v;
    struct cg_http_upstreams *upstreams;
};

static void gate_open(struct world *w)
{
    static const struct subject whole = {.name = "upstream"};
    struct gate *g = (struct gate *)w;

    g->v.w.subject = &whole;
    visit_open(&g->v.w);
    g->upstreams = cg_http_upstreams_new(g->v.client, .log = no_log);
    OK(cg_http_upstreams_add(g->upstreams, g->v.url));
    ask(&g->s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
}

static struct cg_op *gate_op(struct world *w)
{
    struct gate *g = (struct gate *)w;

    return w->subject->link == 0
               ? KEEP(w, cg_http_forward_op, cg_http_forward(g->s.req, g->upstreams))
               : KEEP(w, cg_http_forward_to_op,
                      cg_http_forward_to(g->s.req, g->v.client, g->v.url));
}

static void gate_cause(struct world *w)
{
    get_cause(&((struct gate *)w)->v.w);
}

/* Partial: one that has lost may have responded. */
static void gate_check(struct world *w, ssize_t answer)
{
    struct gate *g = (struct gate *)w;

    if (!pairs_lost(answer)) {
        IS(answer, 200);
        IS(cg_http_response_status(g->s.req), 200);
    }
    ck_assert_uint_eq(cg_http_upstreams_available(g->upstreams), 1);
}

static void gate_close(struct world *w)
{
    struct gate *g = (struct gate *)w;

    cg_http_upstreams_free(g->upstreams);
    asked_close(w);
    visit_close(&g->v.w);
}

#define SITE .size = sizeof(struct site)
#define ASKED SITE, .cause = body_cause, .close = asked_close
#define VISIT .size = sizeof(struct visit), .flags = SELDOM
#define GATE .size = sizeof(struct gate), .flags = SELDOM

static const struct subject subjects[] = {
    {"http_serve", SITE, .flags = SELDOM | FLEETING | CLOSED, .open = serve_open,
     .op = serve_op, .cause = serve_cause, .check = serve_check, .close = site_close},
    {"http_wait_shutdown", SITE, .flags = SELDOM, .open = site_open, .op = told_op,
     .cause = told_cause, .got = told_got, .close = site_close},
    {"http_wait_left", SITE, .flags = SELDOM, .open = stays_open, .op = left_op,
     .cause = left_cause, .got = told_got, .close = asked_close},
#ifdef HAVE_NGHTTP2
    {"http_wait_left_h2", SITE, .link = OVER_UNIX, .flags = SELDOM, .open = stays_open,
     .op = left_op, .cause = left_cause, .got = told_got, .close = asked_close},
#endif
    {"http_read", ASKED, .flags = SELDOM, .open = read_open, .op = read_op,
     .got = read_got},
    {"http_read_body", ASKED, .flags = SELDOM, .open = body_open, .op = body_op,
     .check = body_check},
    {"http_read_form", ASKED, .flags = SELDOM, .open = form_open, .op = form_op,
     .check = form_check},
    {"http_get", VISIT, .open = visit_open, .op = get_op, .cause = get_cause,
     .check = get_check, .close = visit_close},
    {"http_read_reply", VISIT, .link = OVER_TCP, .open = reply_open, .op = reply_op,
     .cause = reply_cause, .got = reply_got, .shut = reply_shut, .close = reply_close},
    {"http_forward", GATE, .open = gate_open, .op = gate_op, .cause = gate_cause,
     .check = gate_check, .close = gate_close},
    {"http_forward_to", GATE, .link = OVER_UNIX, .open = gate_open, .op = gate_op,
     .cause = gate_cause, .check = gate_check, .close = gate_close},
};

const struct family pairs_http = {subjects, COUNT(subjects)};
