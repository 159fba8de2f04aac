/* SPDX-License-Identifier: MIT */
#include <cogen.h>
#include <stdio.h>

static ssize_t echo(struct cg_sock *conn, void *arg)
{
    char line[1024];
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_readline(conn, line, sizeof line))) > 0)
        if ((n = cg_yield(cg_writeall(conn, line, (size_t)n))) < 0)
            break;
    cg_sock_close(conn);
    return n;
}

static ssize_t server(void *addr)
{
    struct cg_sock *listener;
    ssize_t rc = cg_sock_listen(cg_sched_self(), addr, &listener);

    if (rc < 0)
        return rc;
    rc = cg_yield(cg_serve(listener, echo, .name = "echo"));
    cg_sock_close(listener);
    return rc;
}

int main(int argc, char **argv)
{
    ssize_t rc = cg_main(NULL, server, argc > 1 ? argv[1] : "127.0.0.1:7000");

    fprintf(stderr, "server: %s\n", cg_strerror(rc));
    return 1;
}
