/* SPDX-License-Identifier: MIT */
/* Subjects that make connections. Each connection has a number, its first byte. */
#include "tests/pairs/pairs.h"

#include <stdio.h>

enum {
    DIALS = 4,
    MARK = 'M'
};

struct caller {
    struct world w;
    struct cg_sock *listener, *conn;
    char addr[CG_ADDR_SIZE];
    struct cg_coro *dials[DIALS];
    size_t dialled, begun, ended; /* handlers */
};

static void caller_open(struct world *w)
{
    struct caller *c = (struct caller *)w;

    if (w->subject->link == OVER_UNIX)
        test_unix_path(c->addr);
    else
        snprintf(c->addr, sizeof c->addr, "127.0.0.1:0");
    OK(cg_sock_listen(cg_sched_self(), c->addr, &c->listener));
    OK(cg_sock_local_addr(c->listener, c->addr, sizeof c->addr));
}

struct dial {
    const char *addr;
    char mark;
};

/* Connects, sends the number, and waits for the end of the stream. */
static ssize_t dials(void *arg)
{
    struct dial dial = *(struct dial *)arg;
    struct cg_sock *sock;
    char byte;
    ssize_t n;

    free(arg);
    OK(cg_yield(cg_connect(dial.addr, &sock)));
    /* The other end may be closed before the byte comes, or with the byte unread. */
    n = cg_yield(cg_write(sock, &dial.mark, 1));
    HOLDS(n == 1 || n == -EPIPE || n == -ECONNRESET);
    n = cg_yield(cg_read(sock, &byte, 1));
    HOLDS(n == 0 || n == -ECONNRESET);
    cg_sock_close(sock);
    return 0;
}

static void dial(struct caller *c, char mark)
{
    struct dial *dial = malloc(sizeof *dial);

    *dial = (struct dial){c->addr, mark};
    HOLDS(c->dialled < DIALS);
    c->dials[c->dialled++] = test_start(dials, dial);
}

static void accept_cause(struct world *w)
{
    dial((struct caller *)w, (char)('0' + w->caused));
}

static struct cg_op *accept_op(struct world *w)
{
    struct caller *c = (struct caller *)w;

    c->conn = NULL;
    return KEEP(w, cg_accept_op, cg_accept(c->listener, &c->conn));
}

static void accept_got(struct world *w, ssize_t answer)
{
    struct caller *c = (struct caller *)w;
    char byte;

    IS(answer, 0);
    IS(cg_yield(cg_read(c->conn, &byte, 1)), 1);
    HOLDS(byte == '0' + (int)w->seen);
    cg_sock_close(c->conn);
}

static void nothing_made(struct world *w)
{
    HOLDS(((struct caller *)w)->conn == NULL);
}

static void caller_shut(struct world *w)
{
    struct caller *c = (struct caller *)w;

    cg_sock_close(c->listener);
    c->listener = NULL;
}

static void caller_close(struct world *w)
{
    struct caller *c = (struct caller *)w;

    while (c->dialled)
        IS(test_end(c->dials[--c->dialled]), 0);
    cg_sock_close(c->listener);
}

/* The other end */

static struct cg_op *connect_op(struct world *w)
{
    struct caller *c = (struct caller *)w;

    c->conn = NULL;
    return KEEP(w, cg_connect_op, cg_connect(c->addr, &c->conn));
}

static void connect_name_open(struct world *w)
{
    struct caller *c = (struct caller *)w;
    unsigned port;

    caller_open(w);
    IS(sscanf(c->addr, "127.0.0.1:%u", &port), 1);
    snprintf(c->addr, sizeof c->addr, "localhost:%u", port);
}

static void no_cause(struct world *w)
{
    (void)w;
}

/* If the op has completed, there is a connection. If it has lost, its connection is closed
 * or was never made. Another connection follows, so that the check has seen all earlier
 * ones. */
static void connect_check(struct world *w, ssize_t answer)
{
    struct caller *c = (struct caller *)w;
    struct cg_sock *conn;
    size_t made = 0, dead = 0;
    char byte = 'A';
    ssize_t n;

    if (!pairs_lost(answer)) {
        IS(answer, 0);
        IS(cg_yield(cg_write(c->conn, &byte, 1)), 1);
    } else
        HOLDS(c->conn == NULL);
    dial(c, MARK);
    for (;;) {
        OK(cg_yield(cg_accept(c->listener, &conn)));
        n = cg_yield(cg_read(conn, &byte, 1));
        cg_sock_close(conn);
        if (n == 1 && byte == MARK)
            break;
        dead += n != 1;
        made += n == 1;
    }
    if (pairs_lost(answer)) {
        HOLDS(made == 0);
        HOLDS(dead <= 1);
    } else {
        HOLDS(made == 1);
        HOLDS(dead == 0);
        cg_sock_close(c->conn);
    }
}

/* Draining the backlog: an accept gets the connections that the drain does not get. */
static struct cg_op *drain_op(struct world *w)
{
    struct caller *c = (struct caller *)w;

    c->conn = NULL;
    return KEEP(w, cg_accept_op, cg_drain_listener(c->listener, &c->conn));
}

static void drain_check(struct world *w, ssize_t answer)
{
    struct caller *c = (struct caller *)w;
    size_t got = answer == 0;

    if (pairs_lost(answer) || answer == CG_EOF)
        HOLDS(c->conn == NULL);
    else
        IS(answer, 0);
    cg_sock_close(c->conn);
    for (; got < w->caused; got++) {
        OK(cg_yield(cg_accept(c->listener, &c->conn)));
        cg_sock_close(c->conn);
    }
    IS(cg_yield(drain_op(w)), CG_EOF);
}

/* The accept loop */

static ssize_t handles(struct cg_sock *conn, void *arg)
{
    struct caller *c = arg;
    char byte;

    c->begun++;
    if (cg_yield(cg_read(conn, &byte, 1)) == 1)
        cg_yield(cg_sleep(CG_HOUR)); /* until it is cancelled */
    cg_sock_close(conn);
    c->ended++;
    return 0;
}

/* The listener may be closed at any moment. */
static ssize_t is_served(void *arg)
{
    struct caller *c = arg;
    struct cg_sock *sock;
    char byte = 'S';

    if (cg_yield(cg_connect(c->addr, &sock)) < 0)
        return 0;
    if (cg_yield(cg_write(sock, &byte, 1)) == 1)
        cg_yield(cg_read(sock, &byte, 1));
    cg_sock_close(sock);
    return 0;
}

static void serve_open(struct world *w)
{
    struct caller *c = (struct caller *)w;

    caller_open(w);
    c->dials[c->dialled++] = test_start(is_served, c);
}

static struct cg_op *serve_op(struct world *w)
{
    struct caller *c = (struct caller *)w;

    return KEEP(w, cg_serve_op, cg_serve(c->listener, handles, .arg = c));
}

/* Closes the listener, which ends the loop. */
static void serve_cause(struct world *w)
{
    struct caller *c = (struct caller *)w;

    cg_sock_close(c->listener);
    c->listener = NULL;
}

/* No handler is left, and a connection that has not been served can still be accepted. */
static void serve_check(struct world *w, ssize_t answer)
{
    struct caller *c = (struct caller *)w;
    char byte;

    if (!pairs_lost(answer))
        IS(answer, -EBADF);
    HOLDS(c->begun == c->ended);
    if (c->listener && !c->begun) {
        OK(cg_yield(cg_accept(c->listener, &c->conn)));
        IS(cg_yield(cg_read(c->conn, &byte, 1)), 1);
        cg_sock_close(c->conn);
    }
    if (c->listener)
        serve_cause(w);
}

#define CALLER .size = sizeof(struct caller), .open = caller_open, .close = caller_close
#define ACCEPT                                                                         \
    CALLER, .op = accept_op, .cause = accept_cause, .got = accept_got,                 \
            .lost = nothing_made

static const struct subject subjects[] = {
    {"accept", ACCEPT, .link = OVER_TCP, .shut = caller_shut},
    {"accept_unix", ACCEPT, .link = OVER_UNIX, .shut = caller_shut},
    {"drain_listener", CALLER, .flags = ITSELF, .link = OVER_TCP, .op = drain_op,
     .cause = accept_cause, .check = drain_check},
    {"connect", CALLER, .flags = ITSELF, .link = OVER_TCP, .op = connect_op,
     .cause = no_cause, .check = connect_check},
    {"connect_name", .size = sizeof(struct caller), .flags = ITSELF, .link = OVER_TCP,
     .open = connect_name_open, .op = connect_op, .cause = no_cause,
     .check = connect_check, .close = caller_close},
    {"serve", .size = sizeof(struct caller), .flags = FLEETING | CLOSED, .link = OVER_TCP,
     .open = serve_open, .op = serve_op, .cause = serve_cause, .check = serve_check,
     .close = caller_close},
};

const struct family pairs_connections = {subjects, COUNT(subjects)};
