/* SPDX-License-Identifier: MIT */
/* Echo on libevent's bufferevents: input is moved to the output buffer without a copy.
 *     bench/peers/echo_bufferevent [PORT] */
#include "bench/listen.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <sys/socket.h>

static void received(struct bufferevent *conn, void *arg)
{
    (void)arg;
    evbuffer_add_buffer(bufferevent_get_output(conn), bufferevent_get_input(conn));
}

static void ended(struct bufferevent *conn, short what, void *arg)
{
    (void)what, (void)arg;
    bufferevent_free(conn);
}

static void connected(struct evconnlistener *listener, evutil_socket_t fd,
                      struct sockaddr *addr, int size, void *arg)
{
    struct bufferevent *conn = bufferevent_socket_new(evconnlistener_get_base(listener), fd,
                                                      BEV_OPT_CLOSE_ON_FREE);

    (void)addr, (void)size, (void)arg;
    if (conn == NULL)
        return;
    bufferevent_setcb(conn, received, NULL, ended, NULL);
    bufferevent_enable(conn, EV_READ | EV_WRITE);
}

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();

    (void)argc;
    if (base == NULL ||
        evconnlistener_new(base, connected, NULL, LEV_OPT_CLOSE_ON_EXEC, 0,
                           bench_listen(argv, SOCK_NONBLOCK)) == NULL)
        bench_die("libevent");
    return event_base_dispatch(base) < 0;
}
