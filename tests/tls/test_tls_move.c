/* SPDX-License-Identifier: MIT */
/* TLS connections that move between workers: both streams are the same, wherever the
 * ciphertext is cut, and what could not be sent before goes along. */
#include "config.h"

#include "lib/threads/crew.h"
#include "tests/support/support.h"
#include "tests/tls/tls_certs.h"
#include "tests/tls/tls_main.h"
#include "tls/conn.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { WORKERS = 2, BIG = 4 * 1024 * 1024 };

static struct cg_tls *server, *client;

static struct cg_worker *other_worker(void)
{
    return cg_crew_worker((cg_worker_id() + 1) % WORKERS);
}

static void both_configurations(void)
{
    OK(cg_tls_new(&server, .cert = cert_path("site.pem")));
    OK(cg_tls_new(&client, .ca_file = cert_path("ca.pem")));
}

static void run_crew(cg_fn *fn)
{
    both_configurations();
    IS(cg_crew_main(fn, NULL, .workers = WORKERS, .reactor = test_reactor()), 0);
    ck_assert_ptr_null(server->turns);
    cg_tls_free(server);
    cg_tls_free(client);
}

struct accepting {
    struct cg_sock *inner, *sock;
};

static ssize_t accepts(void *arg)
{
    struct accepting *accepting = arg;

    return cg_yield(cg_tls_accept(accepting->inner, server, &accepting->sock));
}

/* The messages of the client, and how many bytes of each the server reads at a time: the
 * rest stays decrypted within OpenSSL, or (0: borrowed) in the socket. */
static const struct {
    size_t len, step;
} messages[] = {{1, 1}, {60, 7}, {100, 0}, {30, 30}};

enum { TOTAL = 1 + 60 + 100 + 30 };

/* A connection that moves to the other worker each time that a byte of ciphertext has come,
 * and sends back what it has read. */
static struct {
    struct cg_channel *came, *moved; /* a byte, and the connection */
    size_t at, step;
    atomic_bool ended;
} journey;

/* Reads a part of what is there. */
static ssize_t reads_some(struct cg_sock *conn, char *buf, int64_t timeout)
{
    struct cg_view view;
    ssize_t n;

    if (journey.step > 0)
        return cg_yield(cg_read(conn, buf, journey.step, .timeout = timeout));
    n = cg_yield(cg_borrow(conn, &view, .timeout = timeout));
    if (n <= 0)
        return n;
    buf[0] = view.data[0];
    cg_view_release(&view, 1);
    return 1;
}

static void choose_step(void)
{
    size_t end = 0;

    for (size_t i = 0; i < COUNT(messages) && journey.at >= end; i++) {
        end += messages[i].len;
        journey.step = messages[i].step;
    }
}

/* Once the channels are closed, all bytes have come; they are read move by move, too. */
static ssize_t moves_at_each_byte(struct cg_sock *conn, void *arg)
{
    char buf[TOTAL];
    void *item;
    ssize_t n;

    cg_yield(cg_send(journey.moved, NULL));
    n = cg_yield(cg_receive(journey.came, &item));
    n = reads_some(conn, buf, n == 0 ? CG_NOWAIT : CG_NEVER);
    if (n > 0) {
        test_verify(buf, (size_t)n, journey.at);
        IS(cg_yield(cg_writeall(conn, buf, (size_t)n)), n);
        journey.at += (size_t)n;
        choose_step();
    }
    if (n > 0 || n == -ETIMEDOUT) {
        OK(cg_sock_move(conn, other_worker(), moves_at_each_byte, arg));
        return 0;
    }
    IS(n, 0);
    cg_sock_close(conn);
    atomic_store(&journey.ended, true);
    return 0;
}

struct relay {
    struct cg_sock *from, *to;
    bool freely;
};

static ssize_t relays_back(void *arg)
{
    struct relay *relay = arg;
    char buf[4096];
    ssize_t n;

    while ((n = cg_yield(cg_read(relay->from, buf, sizeof buf))) > 0)
        if (cg_yield(cg_writeall(relay->to, buf, (size_t)n)) < 0)
            return 0;
    return 0;
}

/* Relays the ciphertext to the server: during the handshake as it comes, and afterwards
 * byte by byte, each when the connection has moved once more. */
static ssize_t relays(void *arg)
{
    struct relay *relay = arg;
    char buf[4096];
    void *item;
    ssize_t n;

    while ((n = cg_yield(cg_read(relay->from, buf, sizeof buf))) > 0) {
        for (ssize_t i = 0; i < n && !relay->freely; i++) {
            IS(cg_yield(cg_receive(journey.moved, &item)), 0);
            IS(cg_yield(cg_writeall(relay->to, buf + i, 1)), 1);
            IS(cg_yield(cg_send(journey.came, NULL)), 0);
        }
        if (relay->freely)
            IS(cg_yield(cg_writeall(relay->to, buf, (size_t)n)), n);
    }
    OK(cg_yield(cg_shutdown(relay->to, SHUT_WR)));
    cg_channel_close(journey.came);
    cg_channel_close(journey.moved);
    return 0;
}

static ssize_t travels(void *arg)
{
    struct accepting accepting;
    struct relay there = {.freely = true}, back;
    struct cg_sock *inner, *conn;
    struct cg_coro *coros[3];
    char buf[TOTAL];
    size_t sent = 0;

    (void)arg;
    if (cg_worker_id() != 0)
        return 0;
    OK(cg_sock_pair(cg_sched_self(), &inner, &there.from));
    test_tcp(&accepting.inner, &there.to);
    back = (struct relay){.from = there.to, .to = there.from};
    coros[0] = test_start(accepts, &accepting);
    coros[1] = test_start(relays, &there);
    coros[2] = test_start(relays_back, &back);
    OK(cg_yield(cg_tls_connect(inner, client, "site.test", &conn)));
    IS(test_end(coros[0]), 0);
    there.freely = false;
    choose_step();
    OK(cg_sock_move(accepting.sock, other_worker(), moves_at_each_byte, NULL));
    for (size_t i = 0; i < COUNT(messages); i++) {
        test_fill(buf, messages[i].len, sent);
        IS(cg_yield(cg_writeall(conn, buf, messages[i].len)), (ssize_t)messages[i].len);
        sent += messages[i].len;
    }
    OK(cg_yield(cg_shutdown(conn, SHUT_WR)));
    OK(cg_yield(cg_shutdown(inner, SHUT_WR))); /* ends the relay */
    OK(test_end(coros[1]));
    while (!atomic_load(&journey.ended)) /* the rest is read once there are no more bytes */
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    ck_assert_uint_eq(journey.at, TOTAL);
    IS(cg_yield(cg_readall(conn, buf, sizeof buf)), (ssize_t)TOTAL);
    test_verify(buf, TOTAL, 0);
    cg_sock_close(conn);
    OK(test_end(coros[2]));
    cg_sock_close(there.from);
    cg_sock_close(there.to);
    return 0;
}

/* The connection moves after each byte of ciphertext. */
static void split_everywhere(void)
{
    journey.at = 0;
    atomic_store(&journey.ended, false);
    journey.came = cg_channel_new(.limit = 1);
    journey.moved = cg_channel_new(.limit = 1);
    run_crew(travels);
    cg_channel_unref(journey.came);
    cg_channel_unref(journey.moved);
}

/* A writer that gave up when the client read nothing. */
static struct {
    char *data;
    size_t at;
} letter;

static ssize_t writes_the_rest(struct cg_sock *conn, void *arg)
{
    size_t left = BIG - letter.at;

    (void)arg;
    IS(cg_yield(cg_writeall(conn, letter.data + letter.at, left)), (ssize_t)left);
    cg_sock_close(conn);
    return 0;
}

static ssize_t writes_and_moves(void *arg)
{
    struct accepting accepting;
    struct cg_sock *inner, *conn;
    struct cg_coro *coro;
    int small = 64 * 1024;

    (void)arg;
    if (cg_worker_id() != 0)
        return 0;
    test_tcp(&accepting.inner, &inner);
    OK(cg_sock_setopt(accepting.inner, SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
    OK(cg_sock_setopt(inner, SOL_SOCKET, SO_RCVBUF, &small, sizeof small));
    coro = test_start(accepts, &accepting);
    OK(cg_yield(cg_tls_connect(inner, client, "site.test", &conn)));
    IS(test_end(coro), 0);
    IS(cg_yield(cg_writeall(accepting.sock, letter.data, BIG, .moved = &letter.at,
                            .timeout = 20 * CG_MILLISECOND)),
       -ETIMEDOUT);
    ck_assert_uint_gt(cg__tls_queue_size(
                          &((struct cg__tls_conn *)cg_sock_state(accepting.sock))->queue),
                      0);
    OK(cg_sock_move(accepting.sock, other_worker(), writes_the_rest, NULL));
    memset(letter.data, 0, letter.at); /* it is encrypted already */
    for (size_t at = 0; at < BIG; at += 64 * 1024) {
        static char buf[64 * 1024];

        IS(cg_yield(cg_readall(conn, buf, sizeof buf)), (ssize_t)sizeof buf);
        test_verify(buf, sizeof buf, at);
    }
    cg_sock_close(conn);
    return 0;
}

/* What is encrypted and could not be sent is sent by the other worker. */
static void unsent(void)
{
    letter.data = malloc(BIG);
    test_fill(letter.data, BIG, 0);
    run_crew(writes_and_moves);
    free(letter.data);
}

static ssize_t never_runs(struct cg_sock *conn, void *arg)
{
    (void)conn;
    (void)arg;
    ck_abort();
}

static ssize_t reads_one(void *sock)
{
    char byte;

    return cg_yield(cg_read(sock, &byte, 1));
}

/* Over a pair there is no descriptor; while somebody reads it is in use. */
static ssize_t refused(void *arg)
{
    struct cg_worker here = {.sched = cg_sched_self()};
    struct accepting accepting;
    struct cg_sock *inner, *conn;
    struct cg_coro *coro;

    (void)arg;
    both_configurations();
    for (int pair = 0; pair < 2; pair++) {
        if (pair)
            OK(cg_sock_pair(cg_sched_self(), &accepting.inner, &inner));
        else
            test_tcp(&accepting.inner, &inner);
        coro = test_start(accepts, &accepting);
        OK(cg_yield(cg_tls_connect(inner, client, "site.test", &conn)));
        IS(test_end(coro), 0);
        coro = test_start(reads_one, accepting.sock);
        test_until_waiting(coro);
        IS(cg_sock_move(accepting.sock, &here, never_runs, NULL),
           pair ? -EOPNOTSUPP : -EBUSY);
        IS(cg_yield(cg_writeall(conn, "x", 1)), 1);
        IS(test_end(coro), 1);
        cg_sock_close(conn);
        cg_sock_close(accepting.sock);
    }
    cg_tls_free(server);
    cg_tls_free(client);
    return 0;
}

/* A connection that is on its way to a worker that is freed is freed. */
static ssize_t loses(void *arg)
{
    struct accepting accepting;
    struct cg_sock *inner, *conn;
    struct cg_coro *coro;

    test_tcp(&accepting.inner, &inner);
    coro = test_start(accepts, &accepting);
    OK(cg_yield(cg_tls_connect(inner, client, "site.test", &conn)));
    IS(test_end(coro), 0);
    OK(cg_sock_move(accepting.sock, arg, never_runs, NULL));
    cg_sock_close(conn);
    return 0;
}

static void dropped(void)
{
    struct test there = test_open(.timeout = 0);
    struct cg_worker worker = {.sched = there.sched};

    both_configurations();
    IS(test_run(loses, &worker), 0);
    test_close(&there);
    ck_assert_uint_eq(server->refs, 1);
    cg_tls_free(server);
    cg_tls_free(client);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(split_everywhere, .where = ON_KERNEL),
        PLAIN(unsent, .where = ON_KERNEL),
        CORO(refused),
        PLAIN(dropped, .where = ON_KERNEL),
    };
    return tls_main("tls_move", cases, COUNT(cases));
}
