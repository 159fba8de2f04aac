/* SPDX-License-Identifier: MIT */
/* The connections of the HTTP client: kept, retried, limited, and waited for in order. */
#include "config.h"

#include "tests/http/http_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One connection serves many requests. It is not used again if it is to be closed, is too
 * old, or has sent bytes that no request asked for. */
static ssize_t keeps_connections(void *arg)
{
    (void)arg;
    script_start(
        &server,
        TURNS(SAYS(OK_200(1, "1")), SAYS(OK_200(1, "2")),
              SAYS(HEAD_200 "Connection: close\r\nContent-Length: 1\r\n\r\n3"),
              SAYS("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n4", .fresh = true),
              SAYS("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
                   "Content-Length: 1\r\n\r\n5",
                   .fresh = true),
              SAYS(OK_200(1, "6")), SAYS(OK_200(1, "7"), .fresh = true),
              SAYS(OK_200(1, "8extra"), .fresh = false),
              SAYS(OK_200(1, "9"), .fresh = true),
              SAYS(OK_200(1, "late"), .deaf = true, .pause = CG_SECOND),
              SAYS(OK_200(1, "A"), .fresh = true)));
    client = CLIENT(.keep_timeout = 10 * CG_SECOND);
    for (char want[] = "1"; *want <= '6'; ++*want) {
        IS(GET("/"), 200);
        has_body(want);
    }
    IS(server.connections, 3);
    IS((ssize_t)cg_http_client_connections(client), 1);
    OK(cg_yield(cg_sleep(10 * CG_SECOND)));
    cg_http_client_tidy(client);
    IS((ssize_t)cg_http_client_connections(client), 0);
    IS(GET("/"), 200);
    has_body("7");
    IS(GET("/"), 200);
    has_body("8");
    IS((ssize_t)cg_http_client_connections(client), 0);
    IS(GET("/"), 200);
    has_body("9");
    OK(cg_yield(cg_sleep(2 * CG_SECOND)));
    IS(GET("/"), 200);
    has_body("A");
    IS(server.connections, 6);
    done();
    return 0;
}

/* A body of one byte that cannot be read again. */
struct script_body {
    size_t left;
};

static ssize_t read_once(void *arg, void *buf, size_t size)
{
    struct script_body *body = arg;

    ck_assert_uint_gt(size, 0);
    *(char *)buf = 'x';
    return body->left > 0 ? (ssize_t)body->left-- : 0;
}

/* The server closes a kept connection just when a request is sent. An idempotent request is
 * sent again, once, on a new connection. Any other request is not, nor is one whose
 * response has begun. */
static ssize_t tries_again(void *arg)
{
    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(1, "1")), SAYS(NULL, .close = true),
                                SAYS(OK_200(1, "2")), SAYS(NULL, .close = true),
                                SAYS(NULL, .close = true), SAYS(OK_200(1, "3")),
                                SAYS(NULL, .close = true), SAYS(OK_200(1, "4")),
                                SAYS("H", .close = true), SAYS(NULL, .close = true)));
    client = CLIENT();
    IS(GET("/"), 200);
    has_body("1");
    IS(GET("/"), 200);
    has_body("2");
    IS(server.connections, 2);
    IS(GET("/"), CG_EOF);
    ck_assert_str_eq(why, "the server closed the connection without a response");
    IS(server.connections, 3);
    IS(GET("/"), 200);
    has_body("3");
    IS(FETCH(.url = server.url, .body = "x", .len = 1), CG_EOF);
    IS(server.connections, 4);
    IS(GET("/"), 200);
    has_body("4");
    IS(GET("/"), CG_EOF);
    ck_assert_str_eq(why, "the connection ended within the head of the response");
    IS(GET("/"), CG_EOF); /* on a new connection there is no second try */
    IS(server.connections, 6);
    done();
    return 0;
}

#define TOO_LATE "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

/* A server that waits no longer for the next request says 408 before it closes a kept connection.
 * If a request meets that, whatever its method, it is sent again on a new connection, where 408 is
 * the response; as it is after an interim one, or if the body cannot be sent again. */
static ssize_t is_no_answer(void *arg)
{
    struct script_body once = {.left = 1};

    (void)arg;
    script_start(
        &server,
        TURNS(SAYS(OK_200(1, "1")), SAYS(TOO_LATE, .close = true),
              SAYS(OK_200(1, "2"), .fresh = true), SAYS(TOO_LATE, .body = 1, .close = true),
              SAYS(OK_200(1, "3"), .body = 1, .fresh = true), SAYS(TOO_LATE, .close = true),
              SAYS(TOO_LATE, .close = true, .fresh = true),
              SAYS(OK_200(1, "4"), .fresh = true),
              SAYS("HTTP/1.1 102 Processing\r\n\r\n" TOO_LATE, .close = true),
              SAYS(OK_200(1, "5"), .fresh = true), SAYS(TOO_LATE, .body = 1, .close = true)));
    client = CLIENT();
    IS(GET("/"), 200);
    has_body("1");
    IS(GET("/"), 200);
    has_body("2");
    IS(FETCH(.url = server.url, .body = "x", .len = 1), 200);
    has_body("3");
    for (char want[] = "4"; *want <= '5'; ++*want) {
        IS(GET("/"), 408);
        has_body("");
        IS(GET("/"), 200);
        has_body(want);
    }
    IS(FETCH(.url = server.url,
             .source = &(struct cg_http_source){.read = read_once, .arg = &once, .len = 1}),
       408);
    has_body("");
    IS(server.connections, 6);
    done();
    return 0;
}

/* A server that responds to one request on each connection, and leaves the connection open. */
struct leaving {
    struct cg_sock *listener, *conn;
};

static ssize_t respond_once(void *arg)
{
    struct leaving *leaving = arg;
    char line[256];

    while (cg_yield(cg_accept(leaving->listener, &leaving->conn)) >= 0) {
        while (OK(cg_yield(cg_readline(leaving->conn, line, sizeof line))) > 2)
            ;
        OK(cg_yield(cg_writeall(leaving->conn, OK_200(0, ""), sizeof OK_200(0, "") - 1)));
    }
    return 0;
}

/* Ends a connection, and waits, in the kernel and not in the reactor, until the end of the stream
 * has come to the socket at its other end. */
static void leave(struct cg_sock *conn)
{
    struct sockaddr_in peer, name;
    socklen_t size = sizeof peer;
    int fd = 0;

    IS(getpeername(OK(cg_sock_fd(conn)), (struct sockaddr *)&peer, &size), 0);
    IS(shutdown(cg_sock_fd(conn), SHUT_WR), 0);
    for (name.sin_port = 0; name.sin_port != peer.sin_port; fd++) {
        ck_assert_int_lt(fd, 1024);
        size = sizeof name;
        if (getsockname(fd, (struct sockaddr *)&name, &size) < 0)
            name.sin_port = 0;
    }
    IS(poll(&(struct pollfd){.fd = fd - 1, .events = POLLIN}, 1, -1), 1);
    cg_sock_close(conn);
}

/* The server has closed a kept connection, and the reactor has not reported it yet: no request is
 * lost by that, not even one that must not be sent twice. */
static ssize_t notices_the_end(void *arg)
{
    struct leaving leaving;
    char addr[CG_ADDR_SIZE], url[CG_ADDR_SIZE + 16];
    struct cg_coro *coro;

    (void)arg;
    OK(cg_sock_listen(cg_sched_self(), "127.0.0.1:0", &leaving.listener));
    OK(cg_sock_local_addr(leaving.listener, addr, sizeof addr));
    snprintf(url, sizeof url, "http://%s", addr);
    OK(cg_yield(cg_add(respond_once, &leaving, .coro = &coro)));
    client = CLIENT();
    for (int i = 0; i < 6; i++) {
        const char *body = i % 2 ? "x" : NULL;

        IS(FETCH(.url = url, .body = body, .len = body != NULL), 200);
        cg_http_reply_free(reply);
        IS((ssize_t)cg_http_client_connections(client), 1);
        leave(leaving.conn);
    }
    cg_http_client_free(client);
    cg_sock_close(leaving.listener);
    cg_yield(cg_join(coro));
    return 0;
}

struct many {
    struct cg_sock *listener;
    unsigned open, most, served;
};

static ssize_t serve_one(void *arg)
{
    struct cg_sock *conn = arg;
    char line[256];

    for (;;) {
        ssize_t n;

        while ((n = cg_yield(cg_readline(conn, line, sizeof line))) > 2)
            ;
        if (n <= 0)
            break;
        cg_yield(cg_sleep(CG_SECOND));
        if (cg_yield(cg_writeall(conn, OK_200(2, "ok"), sizeof OK_200(2, "ok") - 1)) <
            0)
            break;
    }
    cg_sock_close(conn);
    return 0;
}

static ssize_t serve_many(void *arg)
{
    struct many *many = arg;
    struct cg_sock *conn;

    while (cg_yield(cg_accept(many->listener, &conn)) >= 0) {
        many->open++;
        cg_yield(cg_add(serve_one, conn));
    }
    return 0;
}

static const char *many_url;
static char order[64];

static ssize_t ask_one(void *arg)
{
    struct cg_http_reply *mine;
    ssize_t n = cg_yield(cg_http_get(client, many_url, &mine));

    if (n == 200)
        strcat(order, (char[]){(char)(intptr_t)arg, 0});
    cg_http_reply_free(mine);
    return n;
}

/* The number of connections is limited. Requests wait for one in order, and a request that
 * is cancelled leaves the places of the others unchanged. */
static ssize_t waits_in_order(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct many many = {.listener = test_listen(addr)};
    struct cg_coro *accepting = test_start(serve_many, &many), *asking[8];
    int64_t before = cg_sched_now(cg_sched_self());

    (void)arg;
    client = CLIENT(.per_origin = 2);
    many_url = addr;
    order[0] = '\0';
    for (int i = 0; i < 8; i++)
        asking[i] = test_start(ask_one, (void *)(intptr_t)('a' + i));
    OK(cg_yield(cg_sleep(CG_SECOND / 2)));
    IS((ssize_t)cg_http_client_connections(client), 2);
    IS(cg_yield(cg_cancel(asking[4])), 0); /* waits */
    IS(cg_yield(cg_cancel(asking[0])), 0); /* its response is coming */
    for (int i = 0; i < 8; i++)
        IS(test_end(asking[i]), i == 4 || i == 0 ? -ECANCELED : 200);
    ck_assert_str_eq(order, "bcdfgh");
    IS(many.open, 3); /* one in the place of the cancelled one */
    IS((cg_sched_now(cg_sched_self()) - before) / CG_SECOND, 3);
    cg_http_client_free(client);
    IS(cg_yield(cg_cancel(accepting)), 0);
    test_end(accepting);
    cg_sock_close(many.listener);
    return 0;
}

static ssize_t post_one(void *arg)
{
    struct cg_http_reply *mine;
    struct cg_http_fetch fetch = {.url = many_url, .method = "POST"};

    (void)arg;
    return cg_yield(cg_http_fetch(client, &fetch, &mine));
}

/* A request that is cancelled while it looks whether an idle connection is still open costs that
 * connection, and not all others. */
static ssize_t is_cancelled_early(void *arg)
{
    char addr[CG_ADDR_SIZE];
    struct many many = {.listener = test_listen(addr)};
    struct cg_coro *accepting = test_start(serve_many, &many), *asking[3];

    (void)arg;
    client = CLIENT();
    many_url = addr;
    order[0] = '\0';
    for (int i = 0; i < 3; i++)
        asking[i] = test_start(ask_one, (void *)(intptr_t)('a' + i));
    for (int i = 0; i < 3; i++)
        IS(test_end(asking[i]), 200);
    IS((ssize_t)cg_http_client_connections(client), 3);
    asking[0] = test_start(post_one, NULL);
    test_until_waiting(asking[0]);
    IS(cg_yield(cg_cancel(asking[0])), 0);
    IS(test_end(asking[0]), -ECANCELED);
    IS((ssize_t)cg_http_client_connections(client), 2);
    cg_http_client_free(client);
    IS(cg_yield(cg_cancel(accepting)), 0);
    test_end(accepting);
    cg_sock_close(many.listener);
    return 0;
}

/* The number of idle connections that are kept is limited. */
static ssize_t limits_kept(void *arg)
{
    (void)arg;
    script_start(&server, TURNS(SAYS(OK_200(1, "1"))));
    script_start(&other, TURNS(SAYS(OK_200(1, "x"))));
    client = CLIENT(.keep = 1);
    IS(GET("/"), 200);
    has_body("1");
    IS(cg_yield(cg_http_get(client, other.url, &reply)), 200);
    has_body("x");
    IS((ssize_t)cg_http_client_connections(client), 1);
    done();
    script_end(&other);
    return 0;
}

/* After a lost connection a request avoids other kept ones, but only until it has a response: a
 * redirect may use them. */
static ssize_t loses_only_one(void *arg)
{
    char move[256];

    (void)arg;
    script_start(&other, TURNS(SAYS(OK_200(1, "x")), SAYS(OK_200(1, "y"))));
    snprintf(move, sizeof move,
             "HTTP/1.1 302 Moved\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n", other.url);
    script_start(&server, TURNS(SAYS(OK_200(1, "1")), SAYS(NULL, .close = true), SAYS(move)));
    client = CLIENT();
    IS(cg_yield(cg_http_get(client, other.url, &reply)), 200);
    has_body("x");
    IS(GET("/"), 200);
    has_body("1");
    IS(GET("/"), 200);
    has_body("y");
    IS(server.connections, 2);
    IS(other.connections, 1);
    done();
    script_end(&other);
    return 0;
}

/* The limit for all hosts includes kept connections. The oldest of these is closed. */
static ssize_t limits_all(void *arg)
{
    char byte;

    (void)arg;
    script_start(&server,
                 TURNS(SAYS(OK_200(1, "1")), SAYS(OK_200(1, "2"), .fresh = true)));
    script_start(&other, TURNS(SAYS(OK_200(1, "x"), .drip = CG_MICROSECOND)));
    client = CLIENT(.connections = 1);
    IS(GET("/"), 200);
    has_body("1");
    IS(FETCH(.url = other.url, .stream = true), 200);
    IS((ssize_t)cg_http_client_connections(client), 1); /* that one is still in use */
    IS(cg_yield(cg_http_read_reply(reply, &byte, 1)), 1);
    IS(cg_yield(cg_http_read_reply(reply, &byte, 1)), 0);
    cg_http_reply_free(reply);
    IS((ssize_t)cg_http_client_connections(client), 1);
    IS(GET("/"), 200);
    has_body("2");
    IS(server.connections, 2);
    done();
    script_end(&other);
    script_start(&server,
                 TURNS(SAYS(OK_200(1, "1")), SAYS(OK_200(1, "2"), .fresh = true)));
    client = CLIENT(.no_keep = true);
    IS(GET("/"), 200);
    has_body("1");
    IS((ssize_t)cg_http_client_connections(client), 0);
    IS(GET("/"), 200);
    has_body("2");
    heard("Connection: close\r\n");
    done();
    return 0;
}

static const struct test_case cases[] = {
    CORO(keeps_connections, .where = ON_SIM),
    CORO(is_no_answer),
    CORO(tries_again),
    CORO(notices_the_end, .where = ON_KERNEL),
    CORO(waits_in_order, .where = ON_SIM),
    CORO(is_cancelled_early, .where = ON_SIM),
    CORO(loses_only_one),
    CORO(limits_all),
    CORO(limits_kept),
};

int main(void)
{
    return test_main("http client connections", cases, COUNT(cases));
}
