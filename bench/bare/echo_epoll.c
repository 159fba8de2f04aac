/* SPDX-License-Identifier: MIT */
/* The bare loop, against which libcogen is measured: an echo server as a hand-written
 * epoll loop, edge-triggered, without timeouts, limits or abstraction. */
#include "config.h"

#include "bench/listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256 };

/* The unsent bytes for a peer that does not read; indexed by descriptor. */
static struct rest {
    size_t size;
    char bytes[BENCH_BUFFER];
} *rests[BENCH_CONNECTIONS + 64];

static void watch(int ep, int how, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLET, .data.fd = fd};

    if (epoll_ctl(ep, how, fd, &event) < 0)
        bench_die("epoll_ctl");
}

static void accept_all(int ep, int listener)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        watch(ep, EPOLL_CTL_ADD, fd, EPOLLIN);
    if (errno != EAGAIN)
        bench_die("accept4");
}

static void drop(int fd)
{
    free(rests[fd]);
    rests[fd] = NULL;
    close(fd);
}

/* Sends everything, or keeps the rest until the peer has read. */
static void send_all(int ep, int fd, const char *bytes, size_t size)
{
    ssize_t sent = send(fd, bytes, size, 0);

    if (sent < 0 && errno != EAGAIN) {
        drop(fd);
    } else if (sent != (ssize_t)size) {
        sent = sent < 0 ? 0 : sent;
        if (rests[fd] == NULL && (rests[fd] = malloc(sizeof *rests[fd])) == NULL)
            bench_die("malloc");
        rests[fd]->size = size - (size_t)sent;
        memmove(rests[fd]->bytes, bytes + sent, size - (size_t)sent);
        watch(ep, EPOLL_CTL_MOD, fd, EPOLLOUT);
    } else if (size == BENCH_BUFFER || rests[fd] != NULL) {
        free(rests[fd]);
        rests[fd] = NULL;
        watch(ep, EPOLL_CTL_MOD, fd, EPOLLIN); /* gives a new event if input is left */
    }
}

static void echo(int ep, int fd)
{
    static char buf[BENCH_BUFFER];
    ssize_t n;

    if (rests[fd] != NULL)
        send_all(ep, fd, rests[fd]->bytes, rests[fd]->size);
    else if ((n = recv(fd, buf, sizeof buf, 0)) > 0)
        send_all(ep, fd, buf, (size_t)n);
    else if (n == 0 || errno != EAGAIN)
        drop(fd);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    int listener = bench_listen(argv, SOCK_NONBLOCK), ep = epoll_create1(EPOLL_CLOEXEC);

    (void)argc;
    watch(ep, EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        int n = epoll_wait(ep, events, EVENTS, -1);

        for (int i = 0; i < n; i++)
            if (events[i].data.fd == listener)
                accept_all(ep, listener);
            else
                echo(ep, events[i].data.fd);
    }
}
