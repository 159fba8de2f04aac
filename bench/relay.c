/* SPDX-License-Identifier: MIT */
/* The relay that is measured: each connection is passed on to TARGET, by cg_relay, or with
 * --copy by two coroutines that write what they borrow.
 *     bench/relay [--reactor NAME] [--listen ADDR] [--copy] TARGET */
#include "examples/common.h"

#include <sys/socket.h>

static const char *target, *copies;

struct way {
    struct cg_sock *from, *to;
};

static ssize_t copy(void *arg)
{
    struct way *way = arg;
    struct cg_view view;
    ssize_t n;

    while ((n = cg_yield(cg_borrow(way->from, &view))) > 0) {
        n = cg_yield(cg_writeall(way->to, view.data, view.len));
        cg_view_release(&view, view.len);
        if (n < 0)
            return n;
    }
    return n < 0 ? n : cg_yield(cg_shutdown(way->to, SHUT_WR));
}

static ssize_t relay(struct cg_sock *conn, void *arg)
{
    struct cg_sock *server;
    ssize_t n = cg_yield(cg_connect(target, &server));

    (void)arg;
    if (n >= 0) {
        struct way there = {conn, server}, back = {server, conn};

        n = copies == NULL ? cg_yield(cg_relay(conn, server))
                           : cg_yield(cg_all((cg_call(copy, &there), cg_call(copy, &back))));
        cg_sock_close(server);
    }
    cg_sock_close(conn);
    return n;
}

static ssize_t serve(void *listener)
{
    return cg_yield(cg_serve(listener, relay));
}

int main(int argc, char **argv)
{
    const struct example_option options[] = {
        {"copy", NULL, "copy every byte", &copies, 0},
        {0},
    };
    struct example ex = {
        .name = "relay",
        .about = "Relays TCP connections",
        .operands = "TARGET",
        .listen = "127.0.0.1:0",
        .network = true,
        .options = options,
    };

    example_open(&ex, argc, argv);
    if (ex.argc != 1)
        example_usage(&ex, "TARGET is an address");
    target = ex.argv[0];
    example_serve(&ex, serve);
    return example_run(&ex);
}
