/* SPDX-License-Identifier: MIT */
/* A TCP proxy: ./proxy 127.0.0.1:7001 127.0.0.1:7000 */
#include <cogen.h>
#include <stdio.h>
#include <sys/socket.h>

struct direction {
    struct cg_sock *from, *to;
};

/* Copies until the sender ends its stream, and then ends the other stream in the same
 * direction. The opposite direction stays open. */
static ssize_t copy(void *arg)
{
    struct direction *way = arg;
    struct cg_view view;
    ssize_t n;

    while ((n = cg_yield(cg_borrow(way->from, &view, .timeout = 10 * CG_MINUTE))) > 0) {
        n = cg_yield(cg_writeall(way->to, view.data, view.len, .timeout = CG_MINUTE,
                                 .weak_timeout = true));
        cg_view_release(&view, view.len);
        if (n < 0)
            break;
    }
    if (n == 0)
        n = cg_yield(cg_shutdown(way->to, SHUT_WR));
    return n;
}

static ssize_t serve_client(struct cg_sock *client, void *backend_addr)
{
    struct cg_sock *backend;
    ssize_t n = cg_yield(cg_connect(backend_addr, &backend, .timeout = 5 * CG_SECOND));

    if (n >= 0) {
        struct direction up = {client, backend}, down = {backend, client};
        struct cg_group both;

        cg_group_open(&both); /* the failure of one direction cancels the other */
        if (cg_yield(cg_add_to_group(&both, copy, &up, .name = "up")) < 0 ||
            cg_yield(cg_add_to_group(&both, copy, &down, .name = "down")) < 0)
            cg_group_cancel(&both); /* there is no memory for both */
        n = cg_yield(cg_wait_group(&both));
        cg_sock_close(backend);
    }
    cg_sock_close(client);
    return n;
}

static ssize_t proxy(void *arg)
{
    char **argv = arg;
    struct cg_sock *listener;
    ssize_t rc = cg_sock_listen(cg_sched_self(), argv[1], &listener);

    if (rc < 0)
        return rc;
    rc = cg_yield(cg_serve(listener, serve_client, .arg = argv[2], .name = "client"));
    cg_sock_close(listener);
    return rc;
}

int main(int argc, char **argv)
{
    ssize_t rc;

    if (argc != 3) {
        fprintf(stderr, "usage: %s LISTEN BACKEND\n", argv[0]);
        return 2;
    }
    rc = cg_main(NULL, proxy, argv);
    fprintf(stderr, "proxy: %s\n", cg_strerror(rc));
    return 1;
}
