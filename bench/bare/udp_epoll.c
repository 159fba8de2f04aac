/* SPDX-License-Identifier: MIT */
/* The bare loop of a UDP echo: up to 16 datagrams with one recvmmsg and one sendmmsg, and
 * epoll, edge-triggered, to wait. */
#include "config.h"

#include "bench/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { MANY = 16 };

static char bufs[MANY][BENCH_BUFFER];
static struct sockaddr_in addrs[MANY];
static struct iovec parts[MANY];
static struct mmsghdr list[MANY];

static int receive(int fd)
{
    for (int i = 0; i < MANY; i++) {
        parts[i] = (struct iovec){.iov_base = bufs[i], .iov_len = sizeof bufs[i]};
        list[i].msg_hdr = (struct msghdr){.msg_name = &addrs[i],
                                          .msg_namelen = sizeof addrs[i],
                                          .msg_iov = &parts[i],
                                          .msg_iovlen = 1};
    }
    return recvmmsg(fd, list, MANY, MSG_DONTWAIT, NULL);
}

int main(int argc, char **argv)
{
    int fd = bench_open_udp(argv, SOCK_NONBLOCK), ep = epoll_create1(EPOLL_CLOEXEC), n;
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};

    (void)argc;
    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) < 0)
        bench_die("epoll_ctl");
    for (;;) {
        while ((n = receive(fd)) > 0) {
            for (int i = 0; i < n; i++)
                parts[i].iov_len = list[i].msg_len;
            for (int done = 0, sent; done < n; done += sent)
                if ((sent = sendmmsg(fd, list + done, (unsigned)(n - done), 0)) < 0)
                    bench_die("sendmmsg");
        }
        if (errno != EAGAIN)
            bench_die("recvmmsg");
        epoll_wait(ep, &event, 1, -1);
    }
}
