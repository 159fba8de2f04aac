/* SPDX-License-Identifier: MIT */
/* Echo on libev: a watcher for each connection; its callback reads and writes.
 *     bench/peers/echo_libev [PORT] */
#include "config.h"

#include "bench/listen.h"

#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct conn {
    ev_io io;
    size_t size, done; /* of the rest, and how much of it is sent */
    char *rest;        /* allocated only if the peer does not read */
};

static void drop(struct ev_loop *loop, struct conn *conn)
{
    ev_io_stop(loop, &conn->io);
    close(conn->io.fd);
    free(conn->rest);
    free(conn);
}

static void turn_to(struct ev_loop *loop, struct conn *conn, int events)
{
    ev_io_stop(loop, &conn->io);
    ev_io_set(&conn->io, conn->io.fd, events);
    ev_io_start(loop, &conn->io);
}

static void send_rest(struct ev_loop *loop, struct conn *conn)
{
    ssize_t n = send(conn->io.fd, conn->rest + conn->done, conn->size - conn->done, 0);

    if (n < 0 && errno != EAGAIN) {
        drop(loop, conn);
    } else if (n > 0 && (conn->done += (size_t)n) == conn->size) {
        free(conn->rest);
        conn->rest = NULL;
        turn_to(loop, conn, EV_READ);
    }
}

static void ready(struct ev_loop *loop, ev_io *io, int events)
{
    static char buf[BENCH_BUFFER];
    struct conn *conn = (struct conn *)io;
    ssize_t n, sent;

    if (events & EV_WRITE) {
        send_rest(loop, conn);
        return;
    }
    if ((n = recv(io->fd, buf, sizeof buf, 0)) <= 0) {
        if (n == 0 || errno != EAGAIN)
            drop(loop, conn);
        return;
    }
    if ((sent = send(io->fd, buf, (size_t)n, 0)) == n)
        return;
    if ((sent < 0 && errno != EAGAIN) || (conn->rest = malloc((size_t)n)) == NULL) {
        drop(loop, conn);
        return;
    }
    conn->done = 0;
    conn->size = (size_t)(n - (sent < 0 ? 0 : sent));
    for (size_t i = 0; i < conn->size; i++)
        conn->rest[i] = buf[(size_t)n - conn->size + i];
    turn_to(loop, conn, EV_WRITE);
}

static void connected(struct ev_loop *loop, ev_io *io, int events)
{
    int fd;

    (void)events;
    while ((fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct conn *conn = calloc(1, sizeof *conn);

        if (conn == NULL)
            bench_die("calloc");
        ev_io_init(&conn->io, ready, fd, EV_READ);
        ev_io_start(loop, &conn->io);
    }
}

int main(int argc, char **argv)
{
    struct ev_loop *loop = ev_default_loop(EVBACKEND_EPOLL);
    ev_io listener;

    (void)argc;
    if (loop == NULL)
        bench_die("libev");
    ev_io_init(&listener, connected, bench_listen(argv, SOCK_NONBLOCK), EV_READ);
    ev_io_start(loop, &listener);
    ev_run(loop, 0);
    return 0;
}
