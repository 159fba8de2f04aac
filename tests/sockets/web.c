/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "tests/sockets/web.h"

struct cg_resolver *names_for(struct cg_sched *sched)
{
    struct cg_resolver *names;

    OK(cg_resolver_open("fixed", NULL, &names));
    OK(cg_sched_set_resolver(sched, names));
    return names;
}

void web_is(const char *addrs)
{
    OK(cg_resolver_set_host(names_for(cg_sched_self()), "web.test", addrs));
}

struct hole dig(const char *addr)
{
    struct hole hole;

    OK(cg_sock_listen(cg_sched_self(), addr, &hole.listener, .backlog = 1));
    OK(cg_yield(cg_connect(addr, &hole.filler)));
    return hole;
}

void fill_in(struct hole *hole)
{
    cg_sock_close(hole->filler);
    cg_sock_close(hole->listener);
}

void open_up(struct hole *hole)
{
    struct cg_sock *first;

    OK(cg_yield(cg_accept(hole->listener, &first)));
    cg_sock_close(first);
}

struct cg_sock *serve(const char *addr)
{
    struct cg_sock *listener;

    OK(cg_sock_listen(cg_sched_self(), addr, &listener));
    return listener;
}

ssize_t connects(void *arg)
{
    struct cg_sock *conn;
    ssize_t n = cg_yield(cg_connect(arg, &conn));

    if (n >= 0)
        cg_sock_close(conn);
    return n;
}
