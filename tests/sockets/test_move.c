/* SPDX-License-Identifier: MIT */
/* Connections that move between workers: the stream is the same, wherever it is cut, and one
 * that cannot be moved stays as it is. */
#include "config.h"

#include "lib/threads/crew.h"
#include "tests/support/support.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WORKERS = 2, SIZE = 4000, MOVES = 8 };

/* One connection on its way round the workers. */
struct journey {
    size_t at;   /* bytes read so far */
    int moves;   /* left */
    bool unread; /* some input is read into the socket before it moves */
    atomic_bool ended;
};

/* Reads a part of the stream and hands the rest on. */
static ssize_t reads_and_moves(struct cg_sock *conn, void *arg)
{
    struct journey *journey = arg;
    char buf[SIZE];
    struct cg_view view;
    ssize_t n;

    while (journey->moves-- > 0) {
        IS(cg_yield(cg_readall(conn, buf, 100)), 100);
        test_verify(buf, 100, journey->at);
        journey->at += 100;
        if (journey->unread) {
            OK(cg_yield(cg_borrow(conn, &view)));
            cg_view_release(&view, 10);
            journey->at += 10;
        }
        OK(cg_sock_move(conn, cg_crew_worker((cg_worker_id() + 1) % WORKERS),
                        reads_and_moves, journey));
        return 0;
    }
    while ((n = cg_yield(cg_read(conn, buf, sizeof buf))) > 0) {
        test_verify(buf, (size_t)n, journey->at);
        journey->at += (size_t)n;
    }
    IS(n, 0);
    cg_sock_close(conn);
    atomic_store(&journey->ended, true);
    return 0;
}

static void travel(enum test_link kind, size_t burst, bool unread)
{
    struct journey journey = {.moves = MOVES, .unread = unread};
    struct cg_sock *a, *b;
    char buf[SIZE];

    if (!test_connect(kind, &a, &b))
        return;
    OK(cg_sock_move(a, cg_crew_worker(0), reads_and_moves, &journey));
    test_fill(buf, sizeof buf, 0);
    for (size_t at = 0; at < SIZE; at += burst) {
        size_t len = SIZE - at < burst ? SIZE - at : burst;

        IS(cg_yield(cg_writeall(b, buf + at, len)), (ssize_t)len);
        if (burst < 1000)
            IS(cg_yield(cg_pass()), 0);
    }
    cg_sock_close(b);
    while (!atomic_load(&journey.ended))
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS((ssize_t)journey.at, SIZE);
}

static ssize_t travels(void *arg)
{
    (void)arg;
    if (cg_worker_id() != 0)
        return 0;
    for (enum test_link kind = OVER_TCP; kind <= OVER_UNIX; kind *= 2)
        for (size_t burst = 100; burst <= SIZE; burst = burst * 3 - 53) {
            travel(kind, burst, false);
            travel(kind, burst, true);
        }
    return 0;
}

/* The bytes are the same, whether they were read already, are in the kernel, or come later. */
static void moved(void)
{
    IS(cg_crew_main(travels, NULL, .workers = WORKERS, .reactor = test_reactor()), 0);
}

static ssize_t never_runs(struct cg_sock *conn, void *arg)
{
    (void)arg;
    cg_sock_close(conn);
    ck_abort();
}

static ssize_t waits(void *sock)
{
    char byte;

    return cg_yield(cg_read(sock, &byte, 1));
}

static ssize_t reads_once(struct cg_sock *conn, void *result)
{
    char byte;

    *(ssize_t *)result = cg_yield(cg_read(conn, &byte, 1));
    cg_sock_close(conn);
    return 0;
}

/* A write has taken the error with which the connection ended: after the move reads still tell. */
static ssize_t reset_before(void *arg)
{
    struct cg_worker here = {.sched = cg_sched_self()};
    struct linger none = {.l_onoff = 1};
    struct cg_sock *a, *b;
    ssize_t n = 1;

    (void)arg;
    test_tcp(&a, &b);
    OK(cg_sock_setopt(b, SOL_SOCKET, SO_LINGER, &none, sizeof none));
    cg_sock_close(b);
    IS(cg_yield(cg_wait_gone(a)), 0);
    IS(cg_yield(cg_write(a, "x", 1)), -ECONNRESET);
    OK(cg_sock_move(a, &here, reads_once, &n));
    while (n == 1)
        IS(cg_yield(cg_sleep(CG_MILLISECOND)), 0);
    IS(n, -ECONNRESET);
    return 0;
}

/* What cannot be moved is left alone. */
static ssize_t refused(void *arg)
{
    struct cg_worker here = {.sched = cg_sched_self()};
    char addr[CG_ADDR_SIZE];
    struct cg_sock *a, *b, *listener = test_listen(addr);
    struct cg_coro *coro;
    struct cg_view view;

    (void)arg;
    test_tcp(&a, &b);
    IS(cg_sock_move(a, NULL, never_runs, NULL), -EINVAL);
    IS(cg_sock_move(a, &here, NULL, NULL), -EINVAL);
    IS(cg_sock_move(listener, &here, never_runs, NULL), -EOPNOTSUPP);
    cg_sock_close(listener);
    coro = test_start(waits, a);
    test_until_waiting(coro);
    IS(cg_sock_move(a, &here, never_runs, NULL), -EBUSY);
    IS(cg_yield(cg_writeall(b, "xy", 2)), 2);
    IS(test_end(coro), 1);
    IS(cg_yield(cg_borrow(a, &view)), 1);
    IS(cg_sock_move(a, &here, never_runs, NULL), -EBUSY);
    cg_view_release(&view, 1);
    cg_sock_close(a);
    cg_sock_close(b);
    OK(cg_sock_pair(cg_sched_self(), &a, &b));
    IS(cg_sock_move(a, &here, never_runs, NULL), -EOPNOTSUPP);
    cg_sock_close(a);
    cg_sock_close(b);
    return 0;
}

/* One that is on its way when the worker is freed is closed. */
static void dropped(void)
{
    struct test here = test_open(.timeout = 0), there = test_open(.timeout = 0);
    struct cg_worker worker = {.sched = there.sched};
    struct cg_sock *sock;
    int ends[2];
    char byte;

    IS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    OK(cg_sock_attach(here.sched, ends[0], &sock));
    OK(cg_sock_move(sock, &worker, never_runs, NULL));
    test_close(&there);
    IS(recv(ends[1], &byte, 1, 0), 0);
    close(ends[1]);
    test_close(&here);
}

int main(void)
{
    static const struct test_case cases[] = {
        PLAIN(moved, .where = ON_KERNEL),
        CORO(reset_before, .where = ON_KERNEL),
        CORO(refused),
        PLAIN(dropped, .where = ON_KERNEL),
    };

    return test_main("move", cases, COUNT(cases));
}
