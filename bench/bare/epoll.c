/* SPDX-License-Identifier: MIT */
/* The bare machine: an echo server as a hand-written epoll loop, edge-triggered, no
 * timeouts, no limits, no abstraction. What libcogen is measured against. */
#include "config.h"

#include "bench/bare/bare.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, SIZE = 4096 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(int ep, int fd)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = fd};

    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl");
}

void bare_epoll_echo(int listener, int connections, void (*answered)(void))
{
    static char buf[SIZE];
    struct epoll_event events[EVENTS];
    int ep = epoll_create1(EPOLL_CLOEXEC);

    if (ep < 0)
        die("epoll_create1");
    for (int i = 0; i < connections; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0)
            die("accept4");
        watch(ep, fd);
    }
    while (connections > 0) {
        int n = epoll_wait(ep, events, EVENTS, -1);

        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;
            ssize_t size = recv(fd, buf, sizeof buf, 0);

            if (size > 0) {
                if (send(fd, buf, size, MSG_NOSIGNAL) != size)
                    die("send");
                answered();
            } else {
                close(fd);
                connections--;
            }
        }
    }
    close(ep);
}
