/* SPDX-License-Identifier: MIT */
/* The bare loop for HTTP, against which libcogen is measured: an epoll loop that looks for
 * blank lines in its input and responds to each with the same text; all responses to one
 * read go out in one write. No timeouts, no limits, no parsing.
 *     bench/bare/http_epoll [PORT]        on 127.0.0.1 */
#include "config.h"

#include "bench/bare/http_text.h"
#include "bench/listen.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256 };

static size_t lines[1 << 16]; /* the length of the unfinished line; indexed by descriptor */

static void watch(int ep, int fd, uint32_t how)
{
    struct epoll_event event = {.events = EPOLLIN | how, .data.fd = fd};

    if (fd < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) < 0)
        bench_die("epoll_ctl");
}

static void serve(int fd)
{
    static char in[HTTP_BUFFER];
    ssize_t size = recv(fd, in, sizeof in, 0);

    if (size <= 0) {
        lines[fd] = 0;
        close(fd);
        return;
    }
    size = (ssize_t)http_requests(in, (size_t)size, &lines[fd]) * HTTP_ANSWER_SIZE;
    if (size > 0 && send(fd, http_answers, (size_t)size, MSG_NOSIGNAL) != size)
        bench_die("send");
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    int listener = bench_listen(argv, 0);
    int ep = epoll_create1(EPOLL_CLOEXEC);

    (void)argc;
    http_make_answers();
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
