/* SPDX-License-Identifier: MIT */
/* The accept loop: every connection is served, a limited number at once, and none outlives
 * the loop. */
#include "config.h"

#include "tests/support/closing.h"
#include "tests/support/support.h"

#include "sockets/listen/accept.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MS CG_MILLISECOND

struct service {
    unsigned now, most, served, canceled;
};

/* Echoes lines until the client has no more. */
static ssize_t echoes(struct cg_sock *conn, void *arg)
{
    struct service *service = arg;
    char line[64];
    ssize_t n;

    if (++service->now > service->most)
        service->most = service->now;
    while ((n = cg_yield(cg_readline(conn, line, sizeof line))) > 0)
        IS(cg_yield(cg_writeall(conn, line, (size_t)n)), n);
    if (n == 0)
        service->served++;
    else if (n == -ECANCELED)
        service->canceled++;
    service->now--;
    cg_sock_close(conn);
    return n;
}

struct server {
    struct cg_sock *listener;
    char addr[CG_ADDR_SIZE];
    struct service service;
    unsigned limit;
    int64_t grace, timeout;
    ssize_t answer;
    struct cg_coro *coro;
};

static ssize_t serves(void *arg)
{
    struct server *s = arg;

    s->answer =
        cg_yield(cg_serve(s->listener, echoes, .arg = &s->service, .limit = s->limit,
                          .grace = s->grace, .timeout = s->timeout, .name = "echo"));
    IS(s->service.now, 0);
    return 0;
}

static void begin(struct server *s)
{
    s->listener = test_listen(s->addr);
    s->coro = test_start(serves, s);
    test_until_waiting(s->coro);
}

static void end(struct server *s, ssize_t answer)
{
    test_end(s->coro);
    IS(s->answer, answer);
    cg_sock_close(s->listener);
}

static struct cg_sock *dial(struct server *s)
{
    struct cg_sock *conn;
    char line[8];

    IS(cg_yield(cg_connect(s->addr, &conn)), 0);
    IS(cg_yield(cg_writeall(conn, "hi\n", 3)), 3);
    IS(cg_yield(cg_readline(conn, line, sizeof line)), 3);
    return conn;
}

static ssize_t client(void *arg)
{
    struct cg_sock *conn = dial(arg);

    OK(cg_yield(cg_sleep(MS)));
    cg_sock_close(conn);
    return 0;
}

/* All connections are served, at the limit one after the other. None is refused. */
static ssize_t limit(void *arg)
{
    struct server s = {.limit = 2, .grace = CG_SECOND};
    struct cg_coro *clients[6];

    (void)arg;
    begin(&s);
    for (size_t i = 0; i < COUNT(clients); i++)
        clients[i] = test_start(client, &s);
    for (size_t i = 0; i < COUNT(clients); i++)
        test_end(clients[i]);
    IS(cg_yield(cg_cancel(s.coro)), 0);
    end(&s, -ECANCELED);
    IS(s.service.served, 6);
    IS(s.service.most, 2);
    return 0;
}

/* Without a grace period the handlers are cancelled with the loop. */
static ssize_t at_once(void *arg)
{
    struct server s = {.limit = 0};
    struct cg_sock *conn;
    char byte;

    (void)arg;
    begin(&s);
    conn = dial(&s);
    IS(cg_yield(cg_cancel(s.coro)), 0);
    end(&s, -ECANCELED);
    IS(s.service.canceled, 1);
    IS(cg_yield(cg_read(conn, &byte, 1)), 0);
    cg_sock_close(conn);
    return 0;
}

/* In the grace period running handlers complete, and no new connection is served. */
static ssize_t gracefully(void *arg)
{
    struct server s = {.grace = CG_HOUR};
    struct cg_sock *conn;
    char line[8];

    (void)arg;
    begin(&s);
    conn = dial(&s);
    IS(cg_yield(cg_cancel(s.coro)), 0);
    IS(cg_yield(cg_writeall(conn, "yo\n", 3)), 3);
    IS(cg_yield(cg_readline(conn, line, sizeof line)), 3);
    ck_assert_str_eq(line, "yo\n");
    IS(cg_yield(cg_shutdown(conn, SHUT_WR)), 0);
    end(&s, -ECANCELED);
    IS(s.service.served, 1);
    cg_sock_close(conn);
    return 0;
}

/* When the grace period is over, handlers are cancelled. A timeout also ends the loop, and
 * the grace period begins then. */
static ssize_t grace_ends(void *arg)
{
    struct server s = {.grace = 5 * MS, .timeout = 10 * MS};
    struct cg_sock *conn;
    int64_t start = cg_sched_now(cg_sched_self());

    (void)arg;
    begin(&s);
    conn = dial(&s);
    end(&s, -ETIMEDOUT);
    IS(cg_sched_now(cg_sched_self()) - start, 15 * MS);
    IS(s.service.canceled, 1);
    cg_sock_close(conn);
    return 0;
}

/* Closing the listener ends the loop. */
static ssize_t closed(void *arg)
{
    struct server s = {.limit = 1};
    struct cg_sock *conn;

    (void)arg;
    begin(&s);
    conn = dial(&s);
    cg_sock_close(conn);
    OK(cg_yield(cg_sleep(MS)));
    cg_sock_close(s.listener);
    s.listener = NULL;
    end(&s, -EBADF);
    IS(s.service.served, 1);
    IS(cg_yield(cg_serve(NULL, NULL)), -EINVAL);
    return 0;
}

/* Closing the listener also ends a loop that is at its limit and waits for a handler. */
static ssize_t closed_at_the_limit(void *arg)
{
    struct server s = {.limit = 1};
    struct cg_sock *conn;

    (void)arg;
    begin(&s);
    conn = dial(&s);
    cg_sock_close(s.listener);
    s.listener = NULL;
    OK(cg_yield(cg_sleep(MS)));
    cg_sock_close(conn);
    end(&s, -EBADF);
    IS(s.service.served, 1);
    return 0;
}

/* Closing the listener ends the loop at any time: before the op runs, while it runs, and
 * while it is being cancelled. */
static ssize_t may_be_served(void *arg)
{
    struct server *s = arg;
    struct cg_sock *conn;
    char line[8];

    if (cg_yield(cg_connect(s->addr, &conn)) < 0)
        return 0;
    cg_yield(cg_writeall(conn, "hi\n", 3));
    while (cg_yield(cg_readline(conn, line, sizeof line)) > 0)
        continue;
    cg_sock_close(conn);
    return 0;
}

static void open_listener(void *arg)
{
    struct server *s = arg;

    s->listener = test_listen(s->addr);
    s->coro = test_start(may_be_served, s);
}

static ssize_t listens(struct cg_sock *conn, void *arg)
{
    struct service *service = arg;
    char line[64];

    service->now++;
    while (cg_yield(cg_readline(conn, line, sizeof line)) > 0)
        continue;
    service->now--;
    cg_sock_close(conn);
    return 0;
}

static struct cg_op *serve_op(void *arg, void *room)
{
    struct server *s = arg;

    return KEEP_OP(room, cg_serve_op, cg_serve(s->listener, listens, .arg = &s->service));
}

static void close_listener(void *arg)
{
    struct server *s = arg;

    cg_sock_close(s->listener);
    s->listener = NULL;
}

static void has_served(void *arg, ssize_t answer, bool closed)
{
    struct server *s = arg;

    (void)answer;
    IS(s->service.now, 0);
    if (!closed)
        cg_sock_close(s->listener);
    IS(test_end(s->coro), 0);
}

static ssize_t closed_at_any_time(void *arg)
{
    struct server s = {.limit = 0};

    (void)arg;
    closing_at_any_time(&(struct closing){.arg = &s,
                                          .open = open_listener,
                                          .op = serve_op,
                                          .close = close_listener,
                                          .end = has_served,
                                          .steps = 8,
                                          .slowly = true});
    return 0;
}

/* The address is free at once, even while a connection is still served. */
static ssize_t closed_is_free(void *arg)
{
    struct server s = {.limit = 1};
    struct cg_sock *conn, *other;

    (void)arg;
    begin(&s);
    conn = dial(&s);
    cg_sock_close(s.listener);
    s.listener = NULL;
    IS(cg_yield(cg_connect(s.addr, &other)), -ECONNREFUSED);
    OK(cg_sock_listen(cg_sched_self(), s.addr, &other));
    cg_sock_close(other);
    cg_sock_close(conn);
    end(&s, -EBADF);
    return 0;
}

static ssize_t accepts(void *listener)
{
    struct cg_sock *conn;
    ssize_t rc = cg_yield(cg_accept(listener, &conn));

    if (rc == 0)
        cg_sock_close(conn);
    return rc;
}

/* Connects at once, without the loop. */
static int connect_to(struct cg_sock *listener)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_storage addr;
    socklen_t size = sizeof addr;

    IS(getsockname(cg_sock_fd(listener), (struct sockaddr *)&addr, &size), 0);
    IS(connect(fd, (struct sockaddr *)&addr, size), 0);
    return fd;
}

/* Connections that have come before the end and were not accepted yet are served in the
 * grace period, as far as the limit allows. */
static ssize_t late_ones(void *arg)
{
    struct server s = {.grace = CG_HOUR, .limit = 3};
    struct cg_sock *conn;
    int conns[3];
    char line[8];

    (void)arg;
    begin(&s);
    conn = dial(&s);
    for (int i = 0; i < 3; i++) {
        conns[i] = connect_to(s.listener);
        IS(write(conns[i], "yo\n", 3), 3);
    }
    cg_coro_cancel(s.coro);
    for (int i = 0; i < 2; i++) {
        IS(cg_yield(cg_poll(conns[i], CG_IN)), CG_IN);
        IS(read(conns[i], line, 3), 3);
        close(conns[i]);
    }
    cg_sock_close(conn);
    end(&s, -ECANCELED);
    IS(s.service.served, 3);
    close(conns[2]);
    return 0;
}

/* A server gives a connection back to its listener, while an accept that was cancelled may
 * still bring another one. Neither is lost: the connection is taken back only when the
 * kernel has released that accept. */
static ssize_t given_back(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct cg_sock *listener = test_listen(addr), *conn, *other;
    int first = connect_to(listener), second;
    struct cg_coro *acceptor;
    bool with_kernel, undone;

    (void)arg;
    IS(cg_yield(cg_accept(listener, &conn)), 0);
    acceptor = test_start(accepts, listener);
    test_until_waiting(acceptor);
    IS(cg_yield(cg_sleep(MS)), 0); /* the kernel has it now */
    second = connect_to(listener);
    cg_coro_cancel(acceptor);
    with_kernel = listener->side[CG__RX].io.state != CG_IO_IDLE;
    undone = cg__accept_undo(listener, conn);
    ck_assert(undone == !with_kernel);
    IS(test_end(acceptor), -ECANCELED);
    for (int i = 0; i < 1 + undone; i++) {
        IS(cg_yield(cg_accept(listener, &other, .timeout = CG_MINUTE)), 0);
        cg_sock_close(other);
    }
    if (!undone)
        cg_sock_close(conn);
    cg_sock_close(listener);
    close(first);
    close(second);
    return 0;
}

static const struct test_case cases[] = {
    CORO(limit),  CORO(at_once),
    CORO(gracefully),  CORO(grace_ends, .where = ON_SIM),
    CORO(closed), CORO(closed_at_the_limit),
    CORO(closed_is_free), CORO(closed_at_any_time),
    CORO(late_ones, .where = ON_KERNEL), CORO(given_back, .where = ON_KERNEL),
};

int main(void)
{
    return test_main("serve", cases, COUNT(cases));
}
