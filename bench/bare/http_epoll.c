/* SPDX-License-Identifier: MIT */
/* The bare machine for HTTP: an epoll loop that scans what it reads for blank lines and
 * answers each with the same text, all those of one read in one write. No timeouts, no
 * limits, no parsing. What libcogen is measured against.
 *     bench/bare/http_epoll PORT          on 127.0.0.1 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bare/http_text.h"

enum { EVENTS = 256, SIZE = 16 * 1024 };

static size_t lines[1 << 16]; /* by descriptor: how long its line is so far */

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(int ep, int fd, uint32_t how)
{
    struct epoll_event event = {.events = EPOLLIN | how, .data.fd = fd};

    if (fd < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl");
}

static void serve(int fd)
{
    static char in[SIZE], out[SIZE / 2 * HTTP_ANSWER_SIZE]; /* a blank line is two bytes */
    ssize_t size = recv(fd, in, sizeof in, 0);

    if (size <= 0) {
        lines[fd] = 0;
        close(fd);
        return;
    }
    size = (ssize_t)http_answer_all(in, (size_t)size, &lines[fd], out);
    if (size > 0 && send(fd, out, (size_t)size, MSG_NOSIGNAL) != size)
        die("send");
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    int listener = http_listen(argc > 1 ? argv[1] : "8080");
    int ep = epoll_create1(EPOLL_CLOEXEC);

    watch(ep, listener, 0);
    for (;;) {
        int n = epoll_wait(ep, events, EVENTS, -1);

        for (int i = 0; i < n; i++)
            if (events[i].data.fd == listener)
                watch(ep, accept4(listener, NULL, NULL, SOCK_NONBLOCK), EPOLLET);
            else
                serve(events[i].data.fd);
    }
}
