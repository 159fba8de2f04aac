/* SPDX-License-Identifier: MIT */
#include <cogen.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static ssize_t tell(struct cg_sock *conn, const char *text)
{
    return cg_yield(cg_writeall(conn, text, strlen(text), .timeout = 10 * CG_SECOND));
}

static ssize_t echo(struct cg_sock *conn, void *arg)
{
    char line[80];
    ssize_t n;

    (void)arg;
    while ((n = cg_yield(cg_readline(conn, line, sizeof line,
                                     .timeout = 2 * CG_SECOND))) > 0)
        if ((n = tell(conn, line)) < 0)
            break;
    if (n == -ETIMEDOUT)
        tell(conn, "Are you still there? Good bye.\n");
    else if (n == -EMSGSIZE)
        tell(conn, "That line is too long.\n");
    cg_sock_close(conn);
    return n;
}

static ssize_t server(void *addr)
{
    struct cg_sock *listener;
    ssize_t rc = cg_sock_listen(cg_sched_self(), addr, &listener);

    if (rc < 0)
        return rc;
    rc = cg_yield(cg_serve(listener, echo, .name = "echo", .limit = 1000));
    cg_sock_close(listener);
    return rc;
}

int main(int argc, char **argv)
{
    ssize_t rc = cg_main(NULL, server, argc > 1 ? argv[1] : "127.0.0.1:7000");

    fprintf(stderr, "server: %s\n", cg_strerror(rc));
    return 1;
}
