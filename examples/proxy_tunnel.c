/* SPDX-License-Identifier: MIT */
/* CONNECT: a tunnel, with a coroutine for each direction. The end of the stream in one
 * direction is passed on, and the other direction continues; a failure ends both. */
#include "proxy.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

struct tunnel {
    int64_t patience;
    int64_t moved; /* when bytes were last copied, in either direction */
};

struct way {
    struct tunnel *tunnel;
    struct cg_sock *from, *to;
};

/* Copies in one direction. Bytes are written directly from the socket's input buffer; more
 * are received when they have been written. The tunnel is idle only if nothing was copied
 * in either direction. */
static ssize_t carry(void *arg)
{
    const struct way *way = arg;
    struct tunnel *tunnel = way->tunnel;
    ssize_t n;

    for (;;) {
        int64_t deadline = tunnel->moved + tunnel->patience;
        struct cg_view view;

        n = cg_yield(
            cg_borrow(way->from, &view, .timeout = CG_NEVER, .deadline = deadline));
        if (n == -ETIMEDOUT && tunnel->moved + tunnel->patience > deadline)
            continue;
        if (n <= 0)
            break;
        n = cg_yield(cg_writeall(way->to, view.data, view.len, .weak_timeout = true,
                                 .timeout = tunnel->patience));
        cg_view_release(&view, view.len);
        if (n < 0)
            break;
        tunnel->moved = cg_sched_now(cg_sched_self());
    }
    return n < 0 ? n : cg_yield(cg_shutdown(way->to, SHUT_WR));
}

static void carry_both(struct cg_sock *a, struct cg_sock *b, int64_t patience)
{
    struct tunnel tunnel = {patience, cg_sched_now(cg_sched_self())};
    struct way there = {&tunnel, a, b}, back = {&tunnel, b, a};
    struct cg_group group;

    cg_group_open(&group);
    if (cg_yield(cg_add_to_group(&group, carry, &there, .name = "there")) < 0 ||
        cg_yield(cg_add_to_group(&group, carry, &back, .name = "back")) < 0)
        cg_group_cancel(&group);
    cg_yield(cg_wait_group(&group));
}

ssize_t proxy_tunnel(struct cg_http_request *req, const struct proxy *proxy)
{
    const char *target = cg_http_request_target(req);
    struct cg_sock *client, *server;
    ssize_t n = cg_yield(cg_connect(target, &server, .timeout = proxy->patience));

    if (n < 0) {
        char why[512];

        snprintf(why, sizeof why, "%.300s: %s", target, cg_strerror(n));
        return proxy_refuse(req, n == -ETIMEDOUT ? 504 : 502, why);
    }
    n = cg_yield(cg_http_upgrade(req, 200, &client));
    if (n >= 0) {
        carry_both(client, server, proxy->patience);
        cg_sock_close(client);
        n = 0;
    }
    cg_sock_close(server);
    return n;
}
