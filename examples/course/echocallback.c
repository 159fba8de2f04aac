/* SPDX-License-Identifier: MIT */
/* An echo server of callbacks, on libevent, without cogen, for comparison (blast.sh).
 * State that a coroutine keeps in local variables would have to be in the argument of the
 * callbacks; an echo server has no state.
 *
 *     ./echocallback             on any free port of 127.0.0.1, until it is killed
 *     ./echocallback 25000 1     on that port, for one client
 */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../output.h"
#include "number.h"

static unsigned long clients, served;

static void on_data(struct bufferevent *conn, void *arg)
{
    (void)arg;
    bufferevent_write_buffer(conn, bufferevent_get_input(conn));
}

static void on_end(struct bufferevent *conn, short what, void *base)
{
    (void)what;
    bufferevent_free(conn);
    if (++served == clients)
        event_base_loopbreak(base);
}

static void on_client(struct evconnlistener *listener, evutil_socket_t fd,
                      struct sockaddr *addr, int size, void *base)
{
    struct bufferevent *conn = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);

    (void)listener, (void)addr, (void)size;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    bufferevent_setcb(conn, on_data, NULL, on_end, base);
    bufferevent_enable(conn, EV_READ | EV_WRITE);
}

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();
    struct sockaddr_in addr = {.sin_family = AF_INET};
    socklen_t size = sizeof addr;
    struct evconnlistener *listener;
    bool told;

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    addr.sin_port = htons((uint16_t)number(argc, argv, 1, 0, UINT16_MAX));
    clients = number(argc, argv, 2, 0, UINT32_MAX);
    listener = evconnlistener_new_bind(base, on_client, base,
                                       LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 1024,
                                       (struct sockaddr *)&addr, sizeof addr);
    if (!listener || getsockname(evconnlistener_get_fd(listener),
                                 (struct sockaddr *)&addr, &size) < 0) {
        perror("listen");
        return 1;
    }
    printf("listening on 127.0.0.1:%d\n", ntohs(addr.sin_port));
    told = output_flush();
    if (told)
        event_base_dispatch(base);
    evconnlistener_free(listener);
    event_base_free(base);
    return told ? 0 : 1;
}
